"""The shipped samples and what each must become."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from pipeline.contracts.events import Value


class TrueTurn(Value):
    """What somebody said. Times are there for calls, not for people's single commands."""

    channel: int
    role: str | None
    start: float | None = None
    end: float | None = None
    text: str


class Sample(Value):
    """A recording and its truth.

    Attributes:
        kind: `call` (stereo, with its truth), `people` (recorded elsewhere), `nonspeech`, `broken`.
        state: How its job must end; `reason` too if it must fail.
    """

    file: str
    kind: Literal["call", "people", "nonspeech", "broken"]
    state: str
    reason: str | None = None
    turns: tuple[TrueTurn, ...]

    def text_of(self, channel: int) -> str:
        """What was said on a channel, in order."""
        return " ".join(turn.text for turn in self.turns if turn.channel == channel)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that somebody speaks on."""
        return tuple(sorted({turn.channel for turn in self.turns}))


def folder() -> Path:
    """Where the samples lie."""
    return Path(str(files("razgovor.demo").joinpath("samples")))


def load() -> tuple[Sample, ...]:
    """All samples, in the order they are shown."""
    raw = (folder() / "samples.json").read_bytes()
    return TypeAdapter(tuple[Sample, ...]).validate_json(raw)
