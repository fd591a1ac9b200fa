"""Each arm in a process of its own: so its processor time can be told, and nothing of it works in another's turn."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import psutil

from bench.transcriber.arms import Platform, make
from pipeline.contracts.transcript import Transcript

_START_TIMEOUT_S: Final = 600.0
_ENGINE: Final = "razgovor-engine"
_FRONT_END: Final = "razgovor-front-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """One arm's turn.

    Attributes:
        wall_s: From the first recording to the last word.
        cpu_s: Processor seconds by part: engine, front_end, rest.
        transcripts: What was heard.
        fill: How full the batches were; empty where nobody knows.
    """

    wall_s: float
    cpu_s: Mapping[str, float]
    transcripts: Mapping[Path, Transcript]
    fill: Mapping[str, float] = field(default_factory=dict)


class ArmProcess:
    """An arm, loaded and waiting."""

    def __init__(self, name: str, connection: Connection, pid: int) -> None:
        self.name = name
        self.pid = pid
        self._connection = connection

    def lap(self, paths: Sequence[Path]) -> Lap:
        """Hear these."""
        self._connection.send(list(paths))
        answer = self._connection.recv()
        if not isinstance(answer, Lap):
            raise SystemExit(f"{self.name}: {answer}")
        return answer


@contextmanager
def started(name: str, platform: Platform) -> Iterator[ArmProcess]:
    """An arm for as long as the context lasts."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(name, platform, theirs), name=f"arm {name}")
    process.start()
    theirs.close()
    try:
        if not ours.poll(_START_TIMEOUT_S):
            raise SystemExit(f"{name}: not started after {_START_TIMEOUT_S:.0f} s")
        said = ours.recv()
        if said is not None:
            raise SystemExit(f"{name}: {said}")
        yield ArmProcess(name, ours, process.pid or 0)
    finally:
        with suppress(OSError):
            ours.send(None)
        process.join(60)
        if process.is_alive():
            process.kill()


def _serve(name: str, platform: Platform, connection: Connection) -> None:
    """Runs in the arm's process."""
    try:
        arm = make(name, platform)
    except Exception as error:  # noqa: BLE001  told to whoever started us
        connection.send(f"{type(error).__name__}: {error}")
        return
    connection.send(None)
    try:
        while (paths := connection.recv()) is not None:
            try:
                connection.send(_lap(arm, paths))
            except (Exception, SystemExit) as error:  # noqa: BLE001  likewise
                connection.send(f"{type(error).__name__}: {error}")
    finally:
        if hasattr(arm, "close"):
            arm.close()


def _lap(arm: Any, paths: Sequence[Path]) -> Lap:
    before, begun_s = cpu_by_part(os.getpid()), time.monotonic()
    transcripts = dict(arm.hear(paths))
    wall_s = time.monotonic() - begun_s
    after = cpu_by_part(os.getpid())
    spent = {part: after[part] - before.get(part, 0.0) for part in after}
    full = arm.fill() if hasattr(arm, "fill") else {}
    return Lap(wall_s=wall_s, cpu_s=spent, transcripts=transcripts, fill=full)


def cpu_by_part(pid: int) -> dict[str, float]:
    """Processor seconds of a process and all below it until now, by what they are."""
    parts = {"engine": 0.0, "front_end": 0.0, "rest": 0.0}
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            parts[part_of(process)] += times.user + times.system + times.children_user + times.children_system
    return parts


def part_of(process: psutil.Process) -> str:
    """What a process is: engine, front_end, or rest."""
    words = process.cmdline()
    if any(word.startswith(_ENGINE) for word in words):
        return "engine"
    return "front_end" if any(word.startswith(_FRONT_END) for word in words) else "rest"
