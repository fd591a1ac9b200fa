"""All arms by name. An arm's process makes the one it is told and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from pipeline.contracts.transcript import Transcript

OURS: Final = "ours"
OURS_KAFKA: Final = "ours_kafka"
OURS_REAL_KAFKA: Final = "ours_real_kafka"
#: Those that ours is divided by.
BARE: Final = ("A0", "A", "B", "Bpp")

TITLES: Final[Mapping[str, str]] = {
    OURS: "ours, as a library",
    OURS_KAFKA: "ours, through Kafka (mock broker)",
    OURS_REAL_KAFKA: "ours, through Kafka (a real one)",
    "A0": "faster-whisper as shipped",
    "A": "faster-whisper sequential, tuned",
    "B": "faster-whisper batched by channel",
    "Bpp": "faster-whisper, all calls concatenated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What every arm of a run has in common.

    Attributes:
        model: A folder with a CTranslate2 Whisper.
        device: `cpu` or `cuda`.
        compute_type: CTranslate2's.
        threads: Of the tuned bare arms; A0 keeps its default.
        batch: Windows in a batch of the bare batched arms.
        workers: Batches of the bare arms at once.
        recordings: That B hears at once.
        settings: Of the transcriber, in place of its own.
    """

    model: Path
    device: str = "cpu"
    compute_type: str = "int8"
    threads: int = 2
    batch: int = 16
    workers: int = 1
    recordings: int = 1
    settings: Mapping[str, str | int | float] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, str | int | float]:
        """The transcriber's settings."""
        return {
            "model": str(self.model),
            "device": self.device,
            "compute_type": self.compute_type,
            **self.settings,
        }


class Arm(Protocol):
    """Something that hears recordings."""

    def hear(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Transcript]]:
        """Each recording as it is done."""


def make(name: str, platform: Platform) -> Arm:
    """The arm, loaded."""
    if name == OURS:
        from bench.transcriber.library import Library  # noqa: PLC0415  no arm pays for another's libraries

        return Library(platform)
    if name.startswith(OURS):
        from bench.transcriber.through_kafka import ThroughKafka  # noqa: PLC0415  see above

        return ThroughKafka(platform, "kafka" if name == OURS_REAL_KAFKA else "mock")
    from bench.transcriber import bare  # noqa: PLC0415  see above

    if name == "A0":
        return bare.Sequential(replace(platform, threads=0))
    if name == "A":
        return bare.Sequential(platform, beam_size=bare.BEAM, vad_filter=True, condition_on_previous_text=False)
    return bare.Batched(platform) if name == "B" else bare.Concatenated(platform)
