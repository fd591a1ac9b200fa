"""What a handler decided, as a value. One place applies it: effects, then events, then the offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.contracts.events import Event

EffectT_co = TypeVar("EffectT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class PutObject:
    """Put an immutable object: absolute and keyed, so safe to repeat."""

    key: str
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Outcome(Generic[EffectT_co]):
    """Effects to apply, then events to publish, in this order."""

    effects: tuple[EffectT_co, ...] = ()
    events: tuple[Event, ...] = ()
