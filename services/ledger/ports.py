"""What the ledger needs of the world. For `batch`: `adapters.postgres` keeps the record, the runner's DLQ takes the rest.

For the `janitor`: who knows which jobs there are. For the `eraser`: which are to go. For the `expirer`: what is kept how long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from pipeline.errors import Permanent
from pipeline.outcome import Outcome
from pipeline.stream.ports import Message
from services.ledger.effects import Effect


class Ledger(Protocol):
    """Keeps the record."""

    def apply(self, outcomes: Sequence[Outcome[Effect]]) -> int:
        """Apply the outcomes of a batch, durably; safe to repeat as a whole.

        Returns:
            How many events were new.

        Raises:
            Transient: PostgreSQL does not answer now; some transactions of the batch may be committed.
            Fatal: PostgreSQL refuses what we say.
        """


class DlqSink(Protocol):
    """Puts aside what can't be decoded, and blows the fuse where that is too much."""

    def check(self) -> None:
        """Go on only while the fuse is whole.

        Raises:
            Unavailable: It has blown.
        """

    def passed(self) -> None:
        """A record was taken."""

    def put_aside(self, message: Message, error: Permanent) -> None:
        """Publish the record to its topic's DLQ, and return when the broker has it.

        Raises:
            Transient: Not acknowledged; say it again.
            Unavailable: The fuse has blown.
        """


class JobsTurn(Protocol):
    """One janitor's turn."""

    def known(self, job_ids: Collection[str]) -> set[str]:
        """Those of them that were ever accepted, or that an event ever named."""

    def fence(self, job_ids: Collection[str]) -> None:
        """See to it that none of these that is not known will ever be accepted.

        Returns when every acceptance that had begun before has ended, so that `known` tells for good.

        Raises:
            Transient: Some do not end; nothing is certain.
        """


@dataclass(frozen=True, slots=True)
class Erasure:
    """A job that is to be erased.

    Attributes:
        sweeps: How often it was looked at.
        last: It was watched long enough: this look is the last one.
    """

    job_id: str
    sweeps: int
    last: bool


class Erasures(Protocol):
    """Which jobs were ordered to be erased. May raise Transient and Fatal."""

    def claim(self, watched: timedelta, lease: timedelta, limit: int) -> list[Erasure]:
        """What is to be looked at now, at most so many. Nobody else claims it before the lease has run out.

        `last` is said of what was ordered so long ago that it is `watched` no more.
        """

    def mark_swept(self, erasure: Erasure, objects: int, pause: timedelta) -> None:
        """Keep that so many objects were deleted and nothing is left; look again after the pause, or never if it was the last."""


class KnownJobs(Protocol):
    """Who knows which jobs there are."""

    def turn(self) -> AbstractContextManager[JobsTurn | None]:
        """Take the only turn over all replicas; None while another has it."""


AUDIO: Final = "audio"
TRANSCRIPT: Final = "transcript"


@dataclass(frozen=True, slots=True)
class Rule:
    """How long something of a client's is kept after its job ended: `audio` or `transcript`."""

    client_id: str
    what: str
    kept: timedelta


@dataclass(frozen=True, slots=True)
class Expiry:
    """A job's recording, or its transcript and all else, that is kept no longer."""

    job_id: str
    what: str


class RetentionTurn(Protocol):
    """One expirer's turn."""

    def rules(self) -> list[Rule]:
        """What clients agreed on; who did not agree keeps everything."""

    def due(self, rule: Rule, limit: int) -> Iterator[list[str]]:
        """Jobs whose end lies behind by more than the rule says, and that have not expired so; so many at a time."""

    def begin(self, job_ids: Sequence[str], what: str) -> None:
        """Write down that these are kept no longer: from now on nobody is given them."""

    def begun(self, limit: int) -> list[Expiry]:
        """What is written down and may lie in the store yet."""

    def finish(self, expiry: Expiry, objects: int) -> None:
        """Keep that so many objects were deleted, and nothing is left."""


class Retention(Protocol):
    """What is kept how long. May raise Transient and Fatal."""

    def turn(self) -> AbstractContextManager[RetentionTurn | None]:
        """Take the only turn over all replicas; None while another has it."""
