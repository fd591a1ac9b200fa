"""What is tried, in which order: one thing after the other, all else as it was decided before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

#: A part of the transcriber's settings, by their names.
Settings: TypeAlias = Mapping[str, str | int | float]

#: On a GPU CTranslate2 takes half as long again for a second of time axis beyond 1,024 of the encoder's positions, which are
#: 20.48 s: windows that fit there with their pause.
SHORT_AXES: Final[Settings] = {"window_s": 19.4, "axis_step_s": 2.56, "axis_least_s": 10.24}


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be decided.

    Attributes:
        what: In a few words.
        answers: Settings that are tried.
    """

    what: str
    answers: tuple[Settings, ...]


def questions(device: str, cores: int) -> Iterator[Question]:
    """All of them, those that promise most first.

    Args:
        device: `cpu` or `cuda`.
        cores: Of this machine.
    """
    if device == "cuda":
        yield Question("windows in a batch", tuple({"batch_size": size} for size in (16, 32, 64)))
        yield Question("batches at once", tuple({"workers": workers} for workers in (1, 2, 3, 4)))
        yield Question("batches ahead", tuple({"batches_ahead": ahead} for ahead in (0, 1)))
        yield Question("arithmetic", tuple({"compute_type": name} for name in ("float16", "int8_float16")))
        yield Question("windows and time axes", (SHORT_AXES,))
    else:
        yield Question("workers and threads", tuple(_shared(cores)))
        yield Question("windows in a batch", tuple({"batch_size": size} for size in (2, 4, 8)))
    yield Question("speech in a window", tuple({"window_s": seconds} for seconds in (18.0, 20.0, 28.0)))
    yield Question("time axis", ({"axis_step_s": 5.0}, {"axis_step_s": 30.0}))
    yield Question("width of the search", tuple({"beam_size": size} for size in (5, 2, 1)))
    if device == "cpu":
        yield Question("arithmetic", tuple({"compute_type": name} for name in ("int8", "float32")))


def _shared(cores: int) -> Iterator[Settings]:
    """The cores, divided between workers and their threads in every even way."""
    for threads in (1, 2, 4, 8):
        if cores % threads == 0 and cores // threads <= cores:
            yield {"workers": cores // threads, "threads": threads}
