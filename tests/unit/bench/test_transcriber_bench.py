from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bench.transcriber import summary
from bench.transcriber.hearing import TimedWord, transcript_of
from bench.transcriber.ratios import ratio
from bench.transcriber.rounds import Round, Turn, kept


def turn(arm: str, speed: float, cpu_s: float = 10.0) -> Turn:
    return Turn(
        arm=arm,
        wall_s=100 / speed,
        call_s_per_s=speed,
        cpu_s={"engine": cpu_s * 0.9, "front_end": cpu_s * 0.1, "rest": 0.0},
        others_cores=0.1,
        stolen_s=0.0,
        wer=0.1,
        cer=0.05,
        silence_words=0,
        start_error_s=0.2,
    )


def a_round(ours: float, theirs: float, *, after_s: float = 1.0) -> Round:
    turns = (turn("ours", ours), turn("B", theirs, cpu_s=30.0))
    return Round(calls=1, duration_s=100.0, probe_before_s=1.0, probe_after_s=after_s, turns=turns)


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=12))
def test_a_ratio_lies_within_its_interval_and_its_rounds(values: list[float]) -> None:
    found = ratio(values)

    assert min(values) <= found.low <= found.median <= found.high <= max(values)
    assert found.rounds == len(values)


def test_ratios_are_taken_within_a_round_and_only_of_quiet_ones() -> None:
    rounds = [a_round(20, 10), a_round(6, 2), a_round(9, 3), a_round(100, 1, after_s=1.2)]

    found = summary.facts(rounds, None)

    assert found["rounds"]["quiet"] == 3
    assert found["ratios"]["B"]["median"] == pytest.approx(3.0)
    assert (found["ratios"]["B"]["low"], found["ratios"]["B"]["high"]) == (pytest.approx(2.0), pytest.approx(3.0))
    assert found["processor_time_ratios"]["B"]["median"] == pytest.approx(3.0)
    assert set(found["ratios"]) == {"B"}
    assert found["arms"]["ours"]["call_s_per_s"] == 9
    assert found["arms"]["ours"]["share"]["engine"] == pytest.approx(0.9)


def test_where_no_round_is_quiet_all_are_shown_and_it_is_said() -> None:
    found = summary.facts([a_round(20, 10, after_s=2.0)], None)

    assert (found["rounds"]["quiet"], found["rounds"]["counted"]) == (0, 1)


def test_the_table_shows_every_arm() -> None:
    console = Console(record=True, width=200)

    console.print(summary.table(summary.facts([a_round(20, 10)], None)))

    shown = console.export_text()
    assert "ours, as a library" in shown
    assert "2.00x" in shown


def test_rounds_are_kept_over_runs(tmp_path: Path) -> None:
    rounds = [a_round(20, 10), a_round(6, 2, after_s=1.5)]
    path = tmp_path / "rounds.jsonl"
    path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in rounds), encoding="utf-8")

    assert kept(path) == rounds
    assert kept(tmp_path / "none") == []


def test_bare_words_become_turns_of_their_channels() -> None:
    words = [
        TimedWord(0, " раз", 0, 1),
        TimedWord(1, " два", 0.5, 1),
        TimedWord(0, " три", 1.5, 2),
        TimedWord(0, "4", 9, 10),
    ]

    found = transcript_of(words, 2, 20.0, one_mix=False)

    assert [(one.channel, one.text) for one in found.turns] == [(0, "раз три"), (0, "4"), (1, "два")]
