"""All arms by name. An arm's process makes the one it is told and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from pipeline.contracts.transcript import Transcript

OURS: Final = "ours"
OURS_KAFKA: Final = "ours_kafka"
OURS_REAL_KAFKA: Final = "ours_real_kafka"
#: Those that ours is divided by.
BARE: Final = ("A0", "A", "B", "Bpp")
THREADS: Final = 2

TITLES: Final[Mapping[str, str]] = {
    OURS: "ours, as a library",
    OURS_KAFKA: "ours, through Kafka (mock broker)",
    OURS_REAL_KAFKA: "ours, through Kafka (a real one)",
    "A0": "faster-whisper as shipped",
    "A": "faster-whisper sequential, tuned",
    "B": "faster-whisper batched by channel",
    "Bpp": "faster-whisper, all calls concatenated",
}


class Arm(Protocol):
    """Something that hears recordings."""

    def hear(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Transcript]]:
        """Each recording as it is done."""


def make(name: str, model: Path) -> Arm:
    """The arm, loaded."""
    return _MAKERS[name](model)


def _library(model: Path) -> Arm:
    from bench.transcriber.ours import Library  # noqa: PLC0415  no arm pays for another's libraries

    return Library(model)


def _kafka(broker: Any) -> Callable[[Path], Arm]:
    def made(model: Path) -> Arm:
        from bench.transcriber.ours import ThroughKafka  # noqa: PLC0415  see above

        return ThroughKafka(model, broker)

    return made


def _sequential(threads: int, **options: Any) -> Callable[[Path], Arm]:
    def made(model: Path) -> Arm:
        from bench.transcriber.bare import Sequential  # noqa: PLC0415  see above

        return Sequential(model, threads, **options)

    return made


def _batched(model: Path) -> Arm:
    from bench.transcriber.bare import Batched  # noqa: PLC0415  see above

    return Batched(model, THREADS)


def _concatenated(model: Path) -> Arm:
    from bench.transcriber.bare import Concatenated  # noqa: PLC0415  see above

    return Concatenated(model, THREADS)


_MAKERS: Final[Mapping[str, Callable[[Path], Arm]]] = {
    OURS: _library,
    OURS_KAFKA: _kafka("mock"),
    OURS_REAL_KAFKA: _kafka("kafka"),
    "A0": _sequential(0),
    "A": _sequential(THREADS, beam_size=5, vad_filter=True, condition_on_previous_text=False),
    "B": _batched,
    "Bpp": _concatenated,
}
