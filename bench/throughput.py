"""Jobs per second through all four services: real Kafka, PostgreSQL and MinIO, a fake engine of 200 ms a call.

`make bench-throughput`. Prints the rate and what the time goes to, process by process, and how long a call takes that has
all to itself; writes bench/out/throughput.json. Clients, peers and services share the machine: the processor time per job
says what each of them costs, whatever else runs here. S3 is included: a call is 10 requests to the store.

Services run with the settings of production, but for the window; a first lot of calls is not counted, so that what a
server does only once (Java compiles for a minute) is not told as what a job costs.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pipeline.telemetry import families
from razgovor.chaos.ground import Ground
from razgovor.chaos.processor_time import Spent, spent
from razgovor.chaos.scraping import asked
from razgovor.chaos.system import Size, System

OUT = Path(__file__).parent / "out" / "throughput.json"
GOAL_PER_S, FLOOR_PER_S = 200, 50
TIMEOUT_S = 900.0
#: The chaos rig's relay looks every second, to see faults sooner.
PACE = {"RELAY_POLL_S": "1", "RELAY_REVIEW_S": "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measurement.

    Attributes:
        jobs: So many calls.
        cores: Of the machine.
        seconds: From the first request until the last job had ended.
        accepted_per_s: 202s a second, while clients sent.
        jobs_per_s: Jobs ended a second.
        processor_ms_per_job: By process.
        calls_per_job: By service, peer and operation: how many, and the milliseconds that one took.
        alone_ms: From the first byte of a call's request until its end was written down, with nothing else under way.
    """

    jobs: int
    cores: int
    seconds: float
    accepted_per_s: float
    jobs_per_s: float
    processor_ms_per_job: Mapping[str, float]
    calls_per_job: Mapping[str, tuple[float, float]]
    alone_ms: Sequence[float]

    @property
    def processor_s(self) -> float:
        """Of all together."""
        return sum(self.processor_ms_per_job.values()) * self.jobs / 1000


def processes(system: System, ground: Ground) -> dict[str, int]:
    """Everything that takes part, by name."""
    workers = {worker.name: worker.pid for worker in system.crew.workers() if worker.pid is not None}
    peers = {"kafka": ground.kafka.pid, "postgres": ground.postgres.pid, "minio": ground.minio.pid}
    return {**workers, **peers}


def measure(system: System, ground: Ground, jobs: int, console: Console) -> Measured:
    """Send so many calls as fast as they are taken, and wait for their end."""
    orders = list(system.orders(jobs))
    start = len(system.book)
    roots = processes(system, ground)
    calls_before = peer_calls(system)
    before, own_before, begun_s = spent(roots), time.process_time(), time.monotonic()
    accepted_s: list[float] = []

    def send() -> None:
        for future in system.clients.submit(orders):
            future.result()
        accepted_s.append(time.monotonic() - begun_s)

    sender = threading.Thread(target=send)
    sender.start()
    with Progress(console=console) as progress:
        bar = progress.add_task("jobs ended", total=jobs)
        while True:
            ended = jobs - ground.record.unfinished() if len(system.book) - start == jobs else 0
            progress.update(bar, completed=ended)
            if ended >= jobs or time.monotonic() - begun_s > TIMEOUT_S:
                break
            time.sleep(0.2)
    seconds = time.monotonic() - begun_s
    sender.join()
    costs = by_part(spent(roots), before)
    called = peer_calls(system)
    costs["clients"] = time.process_time() - own_before
    return Measured(
        jobs=jobs,
        cores=os.cpu_count() or 1,
        seconds=seconds,
        accepted_per_s=jobs / accepted_s[0],
        jobs_per_s=jobs / seconds,
        processor_ms_per_job={name: 1000 * cost / jobs for name, cost in costs.items()},
        calls_per_job={
            name: ((count - calls_before.get(name, (0.0, 0.0))[0]) / jobs, milliseconds(name, called, calls_before))
            for name, (count, _) in called.items()
        },
        alone_ms=[],
    )


def measure_alone(system: System, ground: Ground, jobs: int) -> list[float]:
    """Send calls one after the other, each when the one before has ended; the milliseconds that each took."""
    found: list[float] = []
    for order in system.orders(jobs, priority="interactive"):
        begun_s = time.time()
        (promised,) = system.clients.submit([order])
        promise = promised.result()
        if promise is None:
            raise SystemExit(f"a call was refused: {system.book.refused_since()}")
        system.wait_ended_of([promise.job_id], TIMEOUT_S)
        ended_s = ground.record.ends([promise.job_id])[promise.job_id].at_s
        found.append(1000 * ((ended_s or math.nan) - begun_s))
    return found


def milliseconds(
    name: str, after: Mapping[str, tuple[float, float]], before: Mapping[str, tuple[float, float]]
) -> float:
    """What one call took in the mean, of those between two readings."""
    count, seconds = (now - then for now, then in zip(after[name], before.get(name, (0.0, 0.0)), strict=True))
    return 1000 * seconds / count if count else 0.0


def peer_calls(system: System) -> dict[str, tuple[float, float]]:
    """Calls to peers until now, and the seconds they took, by `service peer operation`."""
    found: dict[str, tuple[float, float]] = {}
    for worker in system.crew.workers():
        for reading in asked(worker.fact("metrics")):
            base, _, part = reading.name.rpartition("_")
            if base == families.PEER_CALLS.name and part in {"count", "sum"}:
                name = f"{worker.service} {reading.labels['peer']} {reading.labels['operation']}"
                count, seconds = found.get(name, (0.0, 0.0))
                found[name] = (count + reading.value, seconds) if part == "count" else (count, seconds + reading.value)
    return found


def by_part(after: Spent, before: Spent) -> dict[str, float]:
    """Processor seconds by part; workers of one service together."""
    found: dict[str, float] = {}
    for name, seconds in after.since(before).items():
        part = name.partition("-")[0]
        found[part] = found.get(part, 0.0) + seconds
    return found


def show(measured: Measured, console: Console) -> None:
    """The table."""
    table = Table("part", "ms per job", "share", box=None)
    total = sum(measured.processor_ms_per_job.values())
    for name, cost in sorted(measured.processor_ms_per_job.items(), key=lambda pair: -pair[1]):
        table.add_row(name, f"{cost:.2f}", f"{cost / total:.0%}")
    table.add_row("all", f"{total:.2f}", "")
    console.print(table)
    calls = Table("call to a peer", "per job", "ms each", box=None)
    for name, (count, took_ms) in sorted(measured.calls_per_job.items()):
        calls.add_row(name, f"{count:.2f}", f"{took_ms:.1f}")
    console.print(calls)
    busy = measured.processor_s / measured.seconds
    console.print(
        f"{measured.jobs_per_s:.1f} jobs/s over {measured.seconds:.1f} s ({measured.accepted_per_s:.1f} accepted/s), "
        f"{busy:.2f} of {measured.cores} cores busy with it; goal {GOAL_PER_S}, floor {FLOOR_PER_S}"
    )
    if measured.alone_ms:
        alone = sorted(measured.alone_ms)
        console.print(
            f"a call alone: {statistics.median(alone):.0f} ms in the median of {len(alone)}, {alone[-1]:.0f} at most"
        )


def main(
    *,
    jobs: Annotated[int, typer.Option(help="Calls to send.", min=1)] = 3000,
    folder: Annotated[Path | None, typer.Option(help="Keep peers' data and logs here.")] = None,
    ingest: Annotated[int, typer.Option(help="Processes of ingest.", min=1)] = 1,
    transcribers: Annotated[int, typer.Option(help="Processes of the transcriber.", min=1)] = 1,
    in_flight: Annotated[int, typer.Option(help="Calls in each transcriber's window.", min=1)] = 64,
    posters: Annotated[int, typer.Option(help="Requests of clients under way at once.", min=1)] = 16,
    warm_up: Annotated[int, typer.Option(help="Calls before those that count.", min=1)] = 500,
    alone: Annotated[int, typer.Option(help="Calls one after the other, at the end.", min=0)] = 20,
) -> None:
    """Measure, print, write."""
    console = Console()
    size = Size(
        workers={"ledger": 1, "ingest": ingest, "transcriber": transcribers, "exporter": 1},
        settings={
            "ingest": PACE,
            "transcriber": {"MAX_IN_FLIGHT": str(in_flight)},
            "ledger": {"SWEEP_EVERY_S": "0"},
        },
        posters=posters,
        call_events=False,
    )
    with TemporaryDirectory(prefix="razgovor-throughput-") as scratch:
        root = folder or Path(scratch)
        ground = Ground(root, proxied=False, registry=False)
        with console.status("starting peers and services"):
            ground.start()
        try:
            with System(root, ground, seed=time.time_ns(), size=size) as system:
                for future in system.clients.submit(system.orders(warm_up)):
                    future.result()
                system.wait_ended(TIMEOUT_S)
                measured = measure(system, ground, jobs, console)
                measured = replace(measured, alone_ms=measure_alone(system, ground, alone))
        finally:
            ground.stop()
    show(measured, console)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
