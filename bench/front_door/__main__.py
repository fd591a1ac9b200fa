"""Three questions to the front door, each with a goal.

    python -m bench.front_door                # make bench-front-door: about six minutes
    python -m bench.front_door --quick        # whether it works, not what it says

1. How many 1 MB calls a second are accepted, and how long does each take, against a bare FastAPI that only puts what it is
   given into the same store? Rounds alternate; the ratio is taken in each. Goal: 0.8 of it.
2. Does memory grow over 10,000 uploads? Goal: no.
3. With 1,000 sockets that drip or say nothing, how long do calls at a steady pace take? Goal: p99 under 500 ms.

Clients, doors, database and store share the machine. Prints tables, writes bench/out/front_door.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.accept import request, side_by_side
from bench.front_door import callers
from bench.front_door.doors import Door, Store, bare_door, our_door, store_of

OUT: Final = Path(__file__).parents[1] / "out" / "front_door.json"
CALL_BYTES: Final = 1_000_000
SMALL_BYTES: Final = 20_000
MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of each."""

    stores: tuple[str, ...] = ("minio", "folder")
    rounds: int = 6
    round_s: float = 6.0
    callers: int = 4
    uploads: int = 10_000
    sockets: int = 1_000
    pace_per_s: float = 10.0
    pace_s: float = 60.0


QUICK: Final = Size(rounds=2, round_s=2.0, uploads=400, sockets=200, pace_s=5.0)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile, by the nearest rank."""
    return sorted(values)[max(0, -(-99 * len(values) // 100) - 1)]


def round_of(door: Door, size: Size) -> dict[str, float]:
    """Uploads a second and milliseconds of one, of one door for one round."""
    data = request(door.url, door.key, CALL_BYTES)
    began_s = time.monotonic()
    ends_s = began_s + size.round_s
    took_s = asyncio.run(side_by_side(door.url, data, size.callers, lambda _: time.monotonic() < ends_s))
    rate = len(took_s) / (time.monotonic() - began_s)
    return {"per_s": rate, "p50_ms": statistics.median(took_s) * 1000, "p99_ms": p99(took_s) * 1000}


def against_bare(kind: str, store: Store, ours: Door, bare: Door, size: Size) -> dict[str, Any]:
    """Medians over rounds of both doors, and of the ratios within a round."""
    doors = (ours, bare)
    for door in doors:  # children, connections and files are there now
        round_of(door, Size(round_s=1.0))
    rounds: list[dict[str, dict[str, float]]] = []
    for number in track(range(size.rounds), f"1 MB calls into {kind}"):
        order = doors if number % 2 else doors[::-1]
        rounds.append({door.name: round_of(door, size) for door in order})
        store.clear()
    figures = {
        door.name: {what: statistics.median(one[door.name][what] for one in rounds) for what in rounds[0][door.name]}
        for door in doors
    }
    ratios = {
        what: statistics.median(one[ours.name][what] / one[bare.name][what] for one in rounds)
        for what in ("per_s", "p99_ms")
    }
    return {"doors": figures, "ratios": ratios}


def over_many(door: Door, store: Store, size: Size) -> list[dict[str, float]]:
    """Memory of ingest and its children after each tenth of the uploads."""
    data = request(door.url, door.key, SMALL_BYTES)
    tenth = size.uploads // 10
    found = []
    for number in track(range(10), f"{size.uploads} uploads"):
        asyncio.run(side_by_side(door.url, data, 8, lambda done: done <= tenth - 8))
        store.clear()
        children = door.process.children(recursive=True)
        found.append(
            {
                "uploads": (number + 1) * tenth,
                "ingest_mib": door.process.memory_full_info().uss / MEBIBYTE,
                "children_mib": sum(child.memory_full_info().uss for child in children) / MEBIBYTE,
                "files": door.process.num_fds(),
            }
        )
    return found


async def behind_slow_ones(door: Door, size: Size) -> dict[str, Any]:
    """Milliseconds of calls at a pace: alone, then with slow sockets beside them."""
    data = request(door.url, door.key, CALL_BYTES)
    alone = await callers.at_a_pace(door, data, size.pace_per_s, size.pace_s / 4)
    slow = callers.SlowSockets(door, size.sockets)
    running = asyncio.create_task(slow.run())
    await slow.up.wait()
    beside = await callers.at_a_pace(door, data, size.pace_per_s, size.pace_s)
    slow.over.set()
    await running
    told = {
        name: {"p50_ms": statistics.median(took) * 1000, "p99_ms": p99(took) * 1000, "calls": len(took)}
        for name, took in (("alone", alone), ("beside", beside))
    }
    return {**told, "slow_ones_ended": dict(slow.ends)}


def show(console: Console, report: dict[str, Any]) -> None:
    """Print what was found."""
    for kind, found in report["against_bare"].items():
        table = Table("1 MB calls", "a second", "p50, ms", "p99, ms", title=f"into {kind}")
        for name, row in found["doors"].items():
            table.add_row(name, *(f"{row[what]:.1f}" for what in ("per_s", "p50_ms", "p99_ms")))
        table.add_row("ratio", f"{found['ratios']['per_s']:.2f}", "", f"{found['ratios']['p99_ms']:.2f}")
        console.print(table)
    table = Table("uploads", "ingest, MiB", "children, MiB", "files")
    for row in report["memory"]:
        table.add_row(*(f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)
    slow = report["slow_sockets"]
    table = Table("calls at a pace", "p50, ms", "p99, ms", "calls", title=f"slow ones: {slow['slow_ones_ended']}")
    for name in ("alone", "beside"):
        table.add_row(name, *(f"{slow[name][what]:.0f}" for what in ("p50_ms", "p99_ms", "calls")))
    console.print(table)


def main() -> None:
    """Run, print the tables, write the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--stores", default="minio,folder", help="minio, folder, or both; the last one also for 2 and 3"
    )
    told = parser.parse_args()
    given = QUICK if told.quick else Size()
    stores = tuple(told.stores.split(","))
    report: dict[str, Any] = {"against_bare": {}}
    for kind in stores:
        with (
            tempfile.TemporaryDirectory() as name,
            store_of(kind, Path(name)) as store,
            our_door(store, Path(name)) as ours,
            bare_door(store, Path(name)) as bare,
        ):
            report["against_bare"][kind] = against_bare(kind, store, ours, bare, given)
            if kind == stores[-1]:
                report["memory"] = over_many(ours, store, given)
                report["slow_sockets"] = asyncio.run(behind_slow_ones(ours, given))
    show(Console(), report)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
