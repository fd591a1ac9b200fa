"""Deliveries as values, and the ports that keep them. Called by `deliverer`, the HTTP layer and the command line."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pipeline.contracts import ids
from pipeline.contracts.events import JobStatus
from services.ingest.webhooks.verdicts import Answered, Verdict

#: The type of a message that tells of nothing: `razgovor webhooks test`.
TEST: Final = "webhook.test"
#: How long a claim holds. Longer than an attempt can take: its bound, and the resolver's patience.
LEASE: Final = timedelta(minutes=2)
#: How long what was settled is kept.
KEPT: Final = timedelta(days=30)


def webhook_id_of(job_id: str, run: int, state: str) -> str:
    """The id that a receiver knows an end by, however often it is told: that of the event that said so."""
    return ids.event_id(job_id, run, f"{JobStatus.TOPIC}:{state}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one client.

    Attributes:
        webhook_id: What the receiver knows it by.
        job_id, run, state, reason: The end that it tells of; all None: a test.
        status: `pending`, `delivered`, `refused` or `expired`.
        attempts: So far.
        due_at: When it is tried next, while it is pending.
        attempted_at, status_code, fault: Of the last attempt: when, HTTP's answer, or why there was none.
        settled_at: When its status became final.
    """

    webhook_id: str
    client_id: str
    created_at: datetime
    status: str
    attempts: int
    due_at: datetime
    job_id: str | None = None
    run: int | None = None
    state: str | None = None
    reason: str | None = None
    attempted_at: datetime | None = None
    status_code: int | None = None
    fault: str | None = None
    settled_at: datetime | None = None

    @property
    def type(self) -> str:
        """What it tells of: `job.completed`, or that it is a test."""
        return TEST if self.state is None else f"job.{self.state}"

    def body(self) -> bytes:
        """What is sent: which job, and how it ended; never what was said."""
        data: dict[str, Any] = {}
        if self.job_id is not None:
            data = {"job_id": self.job_id, "run": self.run, "state": self.state, "reason": self.reason}
        return json.dumps({"type": self.type, "timestamp": self.created_at.isoformat(), "data": data}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that is ours to try.

    Attributes:
        url: Where to; None: the client has none any more.
        secrets: The newest first.
        attempt: The number of this attempt since it was made or replayed, from 1.
        claim: Tells this claim from any other of the same delivery.
        left_s: How long it is tried yet.
    """

    delivery: Delivery
    url: str | None
    secrets: tuple[str, ...]
    attempt: int
    claim: int
    left_s: float


class Deliveries(Protocol):
    """Where the deliverer finds its work. Any number of processes may ask at once. May raise Transient and Permanent."""

    def collect(self, limit: int) -> int:
        """Make deliveries of ends that the ledger noted, at most so many; how many notes were taken.

        Once for each run and state of a job, for clients that have an address; with the notes gone in one transaction.
        """

    def claim(self, limit: int, each: int, busy: Collection[str]) -> list[Claimed]:
        """Take deliveries that are due, the longest due first; nobody else is given them for a while.

        Args:
            limit: At most so many.
            each: At most so many of one client.
            busy: Clients that have enough under way.
        """

    def mark(self, claimed: Claimed, answered: Answered, verdict: Verdict) -> None:
        """Keep what came of an attempt, unless another has claimed it meanwhile."""

    def prune(self) -> int:
        """Forget what was settled a month ago; how many."""


class WebhookBook(Protocol):
    """What clients and operators see and order. May raise Transient and Permanent."""

    def page(
        self, client_id: str | None, *, status: str | None = None, after: str | None = None, limit: int = 100
    ) -> list[Delivery]:
        """Deliveries, the newest first, behind the one with the id `after`; None: of all clients."""

    def find(self, client_id: str | None, webhook_id: str) -> Delivery | None:
        """One of them."""

    def replay(self, client_id: str | None, webhook_id: str) -> Delivery | None:
        """Have one sent again, for another day; one that waits is due now. None: there is none."""

    def test(self, client_id: str, webhook_id: str) -> Delivery | None:
        """Have a message sent that tells of nothing; None: the client has no address."""

    def rotate(self, client_id: str, secret: str) -> bool:
        """Sign with a new secret, and on with the one before it, but no older one; False: there is no such client."""

    def retire(self, client_id: str) -> bool:
        """Sign with the newest secret alone; False: there is no such client."""
