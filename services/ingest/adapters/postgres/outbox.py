"""The outbox in PostgreSQL: a turn is a transaction under an advisory lock, so replicas take turns; see `ports.Outbox`.

A relay that dies, or loses its connection, gives its turn back with the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.contracts import states
from pipeline.contracts.events import AudioUploaded
from pipeline.stream.ports import Delivered
from services.ingest.adapters.postgres.connecting import Connection, Database, one_row
from services.ingest.adapters.postgres.statements import STATEMENTS
from services.ingest.relay import Sent
from services.ingest.submissions import Announcement


class PostgresOutbox:
    """See `ports.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def turn(self) -> Iterator[_Turn | None]:
        """See `Outbox.turn`."""
        with self._database.transaction("relay") as connection:
            taken = one_row(connection.execute(STATEMENTS["take_turn"]).fetchone())
            yield _Turn(connection) if taken["pg_try_advisory_xact_lock"] else None


class _Turn:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def close_finished(self) -> None:
        self._connection.execute(STATEMENTS["close_finished"], {"terminal": sorted(states.TERMINAL)})

    def announced(self) -> int:
        return int(one_row(self._connection.execute(STATEMENTS["count_announced"]).fetchone())["count"])

    def sent(self) -> list[Sent]:
        return [Sent(**row) for row in self._connection.execute(STATEMENTS["fetch_sent"])]

    def waiting(self, limit: int) -> list[Announcement]:
        return [_announcement(row) for row in self._connection.execute(STATEMENTS["fetch_waiting"], {"limit": limit})]

    def fetch(self, outbox_ids: Sequence[int]) -> list[Announcement]:
        rows = self._connection.execute(STATEMENTS["fetch_announcements"], {"outbox_ids": list(outbox_ids)})
        return [_announcement(row) for row in rows]

    def mark_sent(self, outbox_ids: Sequence[int], cluster_id: str, delivered: Sequence[Delivered]) -> None:
        marks = {
            "outbox_ids": list(outbox_ids),
            "cluster_id": cluster_id,
            "partitions": [place.partition for place in delivered],
            "offsets": [place.offset for place in delivered],
        }
        self._connection.execute(STATEMENTS["mark_sent"], marks)


def _announcement(row: dict[str, Any]) -> Announcement:
    return Announcement(row["outbox_id"], AudioUploaded.model_validate(row["event"]))
