"""The calls that are measured, and what was said in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from razgovor.demo import samples
from razgovor.evaluation import references
from razgovor.evaluation.references import Reference
from razgovor.transcription import recordings


@dataclass(frozen=True, slots=True)
class Call:
    """A recording, its reference and its length."""

    path: Path
    name: str
    reference: Reference
    duration_s: float


def shipped() -> list[Call]:
    """The demo's six stereo calls, each in another format."""
    return _with_references([samples.folder() / sample.file for sample in samples.load() if sample.kind == "call"])


def below(folder: Path) -> list[Call]:
    """All recordings of a folder that have a reference."""
    return _with_references([folder])


def _with_references(sources: Sequence[Path]) -> list[Call]:
    found = recordings.find(sources)
    known = references.find(found, None)
    return [Call(one.path, one.name, known[one.name], _duration_s(one.path)) for one in found if one.name in known]


def _duration_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
