"""What the rounds come to: a table for people, JSON for machines."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any, Final

from rich.table import Table

from bench.transcriber.arms import BARE, OURS, TITLES
from bench.transcriber.ratios import Ratio, ratio
from bench.transcriber.rounds import Round, Turn

#: Ours must be so many times as fast as the arm; it should be as many as the second figure.
FLOORS: Final = {"A0": (3.0, 4.5), "A": (2.8, 4.0), "B": (2.2, 3.0)}


def facts(rounds: Sequence[Round], words: dict[str, Any] | None) -> dict[str, Any]:
    """`arms.{name}` and `ratios.{name}`, as issue and README quote them."""
    counted = [one for one in rounds if one.quiet] or list(rounds)
    arms = dict.fromkeys(turn.arm for one in counted for turn in one.turns)
    return {
        "machine": {"cores": os.cpu_count()},
        "rounds": {
            "all": len(rounds),
            "quiet": sum(one.quiet for one in rounds),
            "counted": len(counted),
            "moved": [round(one.moved, 3) for one in rounds],
        },
        "calls": {"number": counted[0].calls, "seconds": round(counted[0].duration_s, 1)},
        "arms": {arm: _arm(_turns(counted, arm)) for arm in arms},
        "ratios": {arm: asdict(found) for arm in BARE if (found := _ratio(counted, OURS, arm))},
        "processor_time_ratios": {arm: asdict(found) for arm in BARE if (found := _cpu_ratio(counted, OURS, arm))},
        "words": words or {},
    }


def table(found: dict[str, Any]) -> Table:
    """Every arm, those that we lose against too."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for title in (
        "arm",
        "call-s/s",
        "WER",
        "CER",
        "in silence",
        "turn start",
        "CPU s",
        "ours is",
        "95 %",
        "floor, goal",
    ):
        shown.add_column(title, justify="left" if title == "arm" else "right")
    for arm, facts_ in sorted(found["arms"].items(), key=lambda pair: -pair[1]["call_s_per_s"]):
        against = found["ratios"].get(arm)
        floor, goal = FLOORS.get(arm, (None, None))
        start_s = facts_["start_error_s"]
        shown.add_row(
            TITLES.get(arm, arm),
            f"{facts_['call_s_per_s']:.1f}",
            f"{facts_['wer']:.1%}",
            f"{facts_['cer']:.1%}",
            str(facts_["silence_words"]),
            "" if start_s is None else f"{start_s:.2f} s",
            f"{facts_['cpu_s']:.0f}",
            "" if against is None else f"{against['median']:.2f}x",
            "" if against is None else f"{against['low']:.2f}-{against['high']:.2f}",
            "" if floor is None else f"{floor:g}x, {goal:g}x",
        )
    return shown


def stages(found: dict[str, Any]) -> Table:
    """What ours spends its processor time on."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("processor time of")
    for title in ("engine", "front end", "rest", "all but the engine"):
        shown.add_column(title, justify="right")
    for arm, one in found["arms"].items():
        if one["share"]["engine"]:
            share = one["share"]
            shown.add_row(
                TITLES.get(arm, arm),
                *(f"{share[part]:.1%}" for part in ("engine", "front_end", "rest")),
                f"{1 - share['engine']:.1%}",
            )
    return shown


def batches(found: dict[str, Any]) -> Table:
    """How full ours keeps the engine."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("batches of")
    for title in ("batches", "mean batch", "slot fill", "window", "window fill", "heard again"):
        shown.add_column(title, justify="right")
    for arm, one in found["arms"].items():
        if full := one["fill"]:
            shown.add_row(
                TITLES.get(arm, arm),
                f"{full['batches']:.0f}",
                f"{full['mean_batch']:.2f}",
                f"{full['slot_fill']:.0%}",
                f"{full['mean_window_s']:.1f} s",
                f"{full['window_fill']:.0%}",
                f"{full['repeated']:.1%}",
            )
    return shown


def _turns(rounds: Sequence[Round], arm: str) -> list[Turn]:
    return [turn for one in rounds if (turn := one.turn(arm)) is not None]


def _arm(turns: Sequence[Turn]) -> dict[str, Any]:
    cpu_s = median(sum(turn.cpu_s.values()) for turn in turns)
    parts = {part: median(turn.cpu_s.get(part, 0.0) for turn in turns) for part in ("engine", "front_end", "rest")}
    return {
        "wer": median(turn.wer for turn in turns),
        "cer": median(turn.cer for turn in turns),
        "silence_words": max(turn.silence_words for turn in turns),
        "start_error_s": turns[0].start_error_s,
        "call_s_per_s": median(turn.call_s_per_s for turn in turns),
        "cpu_s": cpu_s,
        "share": {part: seconds / cpu_s for part, seconds in parts.items()},
        "others_cores": median(turn.others_cores for turn in turns),
        "stolen_s": sum(turn.stolen_s for turn in turns),
        "rounds": len(turns),
        "fill": {name: median(turn.fill[name] for turn in turns) for name in turns[0].fill},
    }


def _ratio(rounds: Sequence[Round], ours: str, arm: str) -> Ratio | None:
    pairs = [(one.turn(ours), one.turn(arm)) for one in rounds]
    values = [mine.call_s_per_s / theirs.call_s_per_s for mine, theirs in pairs if mine and theirs]
    return ratio(values) if values else None


def _cpu_ratio(rounds: Sequence[Round], ours: str, arm: str) -> Ratio | None:
    pairs = [(one.turn(ours), one.turn(arm)) for one in rounds]
    values = [sum(theirs.cpu_s.values()) / sum(mine.cpu_s.values()) for mine, theirs in pairs if mine and theirs]
    return ratio(values) if values else None
