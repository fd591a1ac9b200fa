"""The outbox in PostgreSQL: a turn is a transaction under an advisory lock, so replicas take turns; see `ports.Outbox`.

A relay that dies, or loses its connection, gives its turn back with the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.contracts import states
from pipeline.contracts.events import AudioUploaded
from pipeline.stream.ports import Delivered, TopicPartition
from services.ingest.adapters.postgres.connecting import Connection, Database, one_row
from services.ingest.adapters.postgres.statements import STATEMENTS
from services.ingest.relay import AnnouncedLog, Sent
from services.ingest.submissions import Announcement


class PostgresOutbox:
    """See `ports.Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def turn(self) -> Iterator[_Turn | None]:
        """See `Outbox.turn`."""
        with self._database.transaction_for_all("relay") as connection:
            taken = one_row(connection.execute(STATEMENTS["take_turn"]).fetchone())
            yield _Turn(connection) if taken["pg_try_advisory_xact_lock"] else None


class _Turn:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def close_finished(self) -> None:
        self._connection.execute(STATEMENTS["close_finished"], {"terminal": sorted(states.TERMINAL)})

    def logs(self) -> list[AnnouncedLog]:
        return [
            AnnouncedLog(
                cluster_id=row["cluster_id"],
                topic_partition=TopicPartition(row["topic"], row["partition"]),
                jobs=row["jobs"],
                last_offset=row["last_offset"],
            )
            for row in self._connection.execute(STATEMENTS["fetch_logs"])
        ]

    def sent(self) -> list[Sent]:
        return [Sent(**row) for row in self._connection.execute(STATEMENTS["fetch_sent"])]

    def rooms(self) -> dict[str, int]:
        return {row["client_id"]: row["room"] for row in self._connection.execute(STATEMENTS["fetch_rooms"])}

    def waiting(self, priority: str, limit: int, rooms: Mapping[str, int]) -> list[Announcement]:
        wanted = {"priority": priority, "limit": limit, "client_ids": list(rooms), "rooms": list(rooms.values())}
        return [_announcement(row) for row in self._connection.execute(STATEMENTS["fetch_waiting"], wanted)]

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

    def mark_served(self, priority: str, client_id: str) -> None:
        self._connection.execute(STATEMENTS["mark_served"], {"priority": priority, "client_id": client_id})

    def mark_passed(self, outbox_ids: Sequence[int]) -> None:
        self._mark("mark_passed", outbox_ids)

    def mark_unread(self, outbox_ids: Sequence[int]) -> None:
        self._mark("mark_unread", outbox_ids)

    def _mark(self, statement: str, outbox_ids: Sequence[int]) -> None:
        if outbox_ids:
            self._connection.execute(STATEMENTS[statement], {"outbox_ids": list(outbox_ids)})

    def mark_lost(self, logs: Sequence[TopicPartition]) -> None:
        lost = {"topics": [log.topic for log in logs], "partitions": [log.partition for log in logs]}
        self._connection.execute(STATEMENTS["mark_lost"], lost)


def _announcement(row: dict[str, Any]) -> Announcement:
    return Announcement(row["outbox_id"], AudioUploaded.model_validate(row["event"]))
