"""The shipped fake of `deliveries.Deliveries` and `deliveries.WebhookBook`, over the rows of the other fakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.contracts import states
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.webhooks.deliveries import KEPT, LEASE, Claimed, Delivery, webhook_id_of
from services.ingest.webhooks.signing import MAX_SECRETS
from services.ingest.webhooks.verdicts import LASTS, PENDING, Answered, Verdict


@dataclass(slots=True)
class _Row:
    delivery: Delivery
    expires_at: datetime
    claimed: bool = False
    before: int = 0


class MemoryWebhooks:
    """See `Deliveries` and `WebhookBook`. `clock` stands for PostgreSQL's; notes of ends are what `outcomes` newly say."""

    def __init__(self, submissions: MemorySubmissions, clients: MemoryClients, clock: Callable[[], datetime]) -> None:
        self.secrets: dict[str, tuple[str, ...]] = {}
        self._submissions = submissions
        self._clients = clients
        self._clock = clock
        self._noted: set[tuple[str, int, str]] = set()
        self._rows: dict[str, _Row] = {}

    def collect(self, limit: int) -> int:
        """See `Deliveries.collect`."""
        ended = [
            (job_id, outcome.run, outcome.state, outcome.reason)
            for job_id, outcome in self._submissions.outcomes.items()
            if outcome.state in states.TERMINAL and (job_id, outcome.run, outcome.state) not in self._noted
        ][:limit]
        for job_id, run, state, reason in ended:
            self._noted.add((job_id, run, state))
            client_id = self._submissions.submissions[job_id][0].client_id
            if self._url(client_id) is not None:
                self._add(webhook_id_of(job_id, run, state), client_id, job_id, run=run, state=state, reason=reason)
        return len(ended)

    def claim(self, limit: int, each: int, busy: Collection[str]) -> list[Claimed]:
        """See `Deliveries.claim`."""
        now, taken, given = self._clock(), list[Claimed](), Counter[str]()
        for row in sorted(self._rows.values(), key=lambda row: row.delivery.due_at):
            delivery = row.delivery
            owner = delivery.client_id
            if delivery.status != PENDING or delivery.due_at > now or owner in busy or given[owner] >= each:
                continue
            if len(taken) == limit:
                break
            given[owner] += 1
            attempts = delivery.attempts + 1
            row.claimed = True
            row.delivery = replace(delivery, due_at=now + LEASE, attempts=attempts, attempted_at=now)
            taken.append(
                Claimed(
                    delivery=row.delivery,
                    url=self._url(owner),
                    secrets=self.secrets.get(owner, ()),
                    attempt=attempts - row.before,
                    claim=attempts,
                    left_s=(row.expires_at - now).total_seconds(),
                )
            )
        return taken

    def mark(self, claimed: Claimed, answered: Answered, verdict: Verdict) -> None:
        """See `Deliveries.mark`."""
        row, now = self._rows[claimed.delivery.webhook_id], self._clock()
        if not row.claimed or row.delivery.attempts != claimed.claim:
            return
        row.claimed = False
        row.delivery = replace(
            row.delivery,
            status=verdict.status,
            due_at=now + timedelta(seconds=verdict.pause_s),
            status_code=answered.status_code,
            fault=answered.fault,
            settled_at=None if verdict.status == PENDING else now,
        )

    def prune(self) -> int:
        """See `Deliveries.prune`."""
        old = [
            webhook_id
            for webhook_id, row in self._rows.items()
            if row.delivery.settled_at is not None and row.delivery.settled_at < self._clock() - KEPT
        ]
        for webhook_id in old:
            del self._rows[webhook_id]
        return len(old)

    def page(
        self, client_id: str | None, *, status: str | None = None, after: str | None = None, limit: int = 100
    ) -> list[Delivery]:
        """See `WebhookBook.page`."""
        last = self._rows.get(after) if after is not None else None
        if after is not None and last is None:
            return []
        found = [row.delivery for row in self._rows.values() if client_id in {None, row.delivery.client_id}]
        found.sort(key=_place, reverse=True)
        return [
            one
            for one in found
            if status in {None, one.status} and (last is None or _place(one) < _place(last.delivery))
        ][:limit]

    def find(self, client_id: str | None, webhook_id: str) -> Delivery | None:
        """See `WebhookBook.find`."""
        row = self._row(client_id, webhook_id)
        return None if row is None else row.delivery

    def replay(self, client_id: str | None, webhook_id: str) -> Delivery | None:
        """See `WebhookBook.replay`."""
        row, now = self._row(client_id, webhook_id), self._clock()
        if row is None:
            return None
        under_way = row.delivery.status == PENDING and row.claimed and row.delivery.due_at > now
        if not under_way:
            row.before = row.delivery.attempts
            row.expires_at = now + LASTS
            row.delivery = replace(row.delivery, status=PENDING, due_at=now, settled_at=None)
        return row.delivery

    def test(self, client_id: str, webhook_id: str) -> Delivery | None:
        """See `WebhookBook.test`."""
        return None if self._url(client_id) is None else self._add(webhook_id, client_id)

    def rotate(self, client_id: str, secret: str) -> bool:
        """See `WebhookBook.rotate`."""
        if self._clients.fetch(client_id) is None:
            return False
        self.secrets[client_id] = (secret, *self.secrets.get(client_id, ()))[:MAX_SECRETS]
        return True

    def retire(self, client_id: str) -> bool:
        """See `WebhookBook.retire`."""
        self.secrets[client_id] = self.secrets.get(client_id, ())[:1]
        return self._clients.fetch(client_id) is not None

    def _url(self, client_id: str) -> str | None:
        client = self._clients.fetch(client_id)
        return None if client is None else client.webhook_url

    def _row(self, client_id: str | None, webhook_id: str) -> _Row | None:
        row = self._rows.get(webhook_id)
        return row if row is not None and client_id in {None, row.delivery.client_id} else None

    def _add(
        self,
        webhook_id: str,
        client_id: str,
        job_id: str | None = None,
        *,
        run: int | None = None,
        state: str | None = None,
        reason: str | None = None,
    ) -> Delivery:
        now = self._clock()
        delivery = Delivery(
            webhook_id=webhook_id,
            client_id=client_id,
            created_at=now,
            status=PENDING,
            attempts=0,
            due_at=now,
            job_id=job_id,
            run=run,
            state=state,
            reason=reason,
        )
        return self._rows.setdefault(webhook_id, _Row(delivery, now + LASTS)).delivery


def _place(delivery: Delivery) -> tuple[datetime, str]:
    return delivery.created_at, delivery.webhook_id
