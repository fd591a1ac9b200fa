"""What batching tells about itself, for whoever explains what an accelerator did with its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.transcriber.batching.courses import Kind
from services.transcriber.domain.hearing import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardBatch:
    """A batch that has been heard.

    Attributes:
        kind: Of all its attempts.
        axis_s: Time that the model looked at, over all passages.
        slot_s: How long a slot had it in hand.
        heard: What was heard in each passage.
    """

    kind: Kind
    axis_s: float
    slot_s: float
    heard: Sequence[Heard]


class Watch(Protocol):
    """Is told how things stand, whenever that changes; from several threads."""

    def queued(self, passages: int) -> None:
        """So many passages wait."""

    def working(self, devices: int, *, sick: int, slots: int) -> None:
        """So many devices work, with so many slots between them; so many failed too often and are out."""

    def heard(self, batch: HeardBatch) -> None:
        """A batch has been heard."""


class Nobody:
    """Nobody watches."""

    def queued(self, passages: int) -> None:
        """See `Watch`."""

    def working(self, devices: int, *, sick: int, slots: int) -> None:
        """See `Watch`."""

    def heard(self, batch: HeardBatch) -> None:
        """See `Watch`."""
