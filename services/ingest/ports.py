"""What ingest needs of the world. Shipped fakes: `adapters.memory`; one test suite runs over fake and PostgreSQL.

Every method may raise Transient (the database does not answer) and Permanent (it does not do what it should).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.errors import Transient
from pipeline.stream.ports import Delivered, TopicPartition
from services.ingest.clients import UNLIMITED, Client, KeyFacts, Quota, StoredKey
from services.ingest.jobs import Cursor, Job
from services.ingest.listing import Wanted
from services.ingest.relay import AnnouncedLog, Sent
from services.ingest.submissions import Accepted, Announcement, IdempotencyKey, Submission


class OutcomeUnknown(Transient):
    """The connection was lost in COMMIT: the job may have been accepted. Its objects must stay."""


class Clients(Protocol):
    """Clients and their keys. Time is PostgreSQL's."""

    def find_key(self, key_id: str) -> StoredKey | None:
        """A key with its client, whether it still works or not."""

    def add_key(
        self,
        client: Client,
        key_id: str,
        secret_sha256: bytes,
        scopes: Sequence[str],
        *,
        lasts: timedelta | None = None,
    ) -> None:
        """Keep a new key, which works for so long (None: until it is revoked).

        Its client is made if it is missing, and left as it is if not.
        """

    def rotate_key(self, key_id: str, new_key_id: str, secret_sha256: bytes, overlap: timedelta) -> bool:
        """Keep a new key of the same client with the same scopes, and let the old one work on for the overlap only.

        Returns:
            False if there is no such key, or it works no more; then nothing was done.
        """

    def revoke_key(self, key_id: str) -> bool:
        """Revoke; False if there is no such key. Repeating it changes nothing."""

    def keys(self, client_id: str | None = None) -> list[KeyFacts]:
        """The keys of a client, or of all, by client, the oldest first."""

    def create(self, client: Client) -> bool:
        """Keep a new client; False if there is one with this id, which is left as it is."""

    def change(self, client_id: str, changed: Callable[[Client], Client]) -> Client | None:
        """Change a client's settings; those who change at once take turns.

        Args:
            client_id: Which one.
            changed: From what it is to what it shall be. What it raises is raised, and nothing changes.

        Returns:
            What it is now; None if there is none.
        """

    def fetch(self, client_id: str) -> Client | None:
        """A client; None if there is none."""

    def all(self) -> list[Client]:
        """Every client, by its id."""


class Submissions(Protocol):
    """Where accepted recordings are kept."""

    def submit(self, submission: Submission, idempotency: IdempotencyKey | None, quota: Quota = UNLIMITED) -> Accepted:
        """Keep a submission, its announcement and its reservation, in one transaction.

        With an idempotency key that this client used before, nothing is kept and the earlier job is the answer.

        Args:
            submission: What is submitted.
            idempotency: The caller's key.
            quota: The client's, as it was known a moment ago: where it bounds nothing, nothing is counted.

        Raises:
            Problem: `idempotency_mismatch`: the key came with another request; `quota_exceeded`.
            OutcomeUnknown: It may be kept.
            Transient: It is not kept.
        """

    def verify(self) -> None:
        """Ask for an answer.

        Raises:
            Transient: There is none.
        """


class Jobs(Protocol):
    """What became of submissions. Every question names the client: another client's job is no job."""

    def fetch(self, client_id: str, job_id: str) -> Job | None:
        """One job with its artefacts."""

    def several(self, client_id: str, job_ids: Sequence[str]) -> list[Job]:
        """Those of these jobs that are the client's, in any order; without artefacts."""

    def page(self, client_id: str, wanted: Wanted, *, after: Cursor | None, limit: int) -> list[Job]:
        """The jobs asked for, newest first, starting behind `after`; without artefacts."""

    def by_chains(self, client_id: str, *, since: datetime, before: datetime, limit: int) -> list[str]:
        """The ids of the newest jobs that were accepted in a period, at most so many, for people to read.

        Newest first; parts of one transferred call stand together where the newest of them would, as they followed each other.
        """


class OutboxTurn(Protocol):
    """One relay's turn at the outbox; what it marks holds once the turn ends well."""

    def close_finished(self) -> None:
        """Set aside what the ledger says is terminal."""

    def logs(self) -> list[AnnouncedLog]:
        """What each log holds of announced jobs that are not terminal."""

    def sent(self) -> list[Sent]:
        """The announced jobs that are not terminal, in the order of acceptance."""

    def rooms(self) -> dict[str, int]:
        """How many more of its jobs may be announced, for each client with a bound on jobs worked on at once."""

    def waiting(self, priority: str, limit: int, rooms: Mapping[str, int]) -> list[Announcement]:
        """What was never announced, at most so many: client by client in turn, each client's own in order of acceptance.

        It begins with the client behind the one that was served last, so over many turns each gets as much as any other.
        Of a client with a room, no more than that. May give fewer than there are room for, but none only if there are none.
        """

    def fetch(self, outbox_ids: Sequence[int]) -> list[Announcement]:
        """These rows, in the order of acceptance."""

    def mark_sent(self, outbox_ids: Sequence[int], cluster_id: str, delivered: Sequence[Delivered]) -> None:
        """Keep where the broker put each announcement."""

    def mark_served(self, priority: str, client_id: str) -> None:
        """Keep whose announcement was the last of this priority."""

    def mark_passed(self, outbox_ids: Sequence[int]) -> None:
        """Say that the group is past these announcements, since now; until they are made again."""

    def mark_unread(self, outbox_ids: Sequence[int]) -> None:
        """Say that it is not, after all."""

    def mark_lost(self, logs: Sequence[TopicPartition]) -> None:
        """Say of all that was announced into these logs that no cluster holds it."""


class Outbox(Protocol):
    """What is to be announced."""

    def turn(self) -> AbstractContextManager[OutboxTurn | None]:
        """Take the only turn over all replicas; None while another has it."""
