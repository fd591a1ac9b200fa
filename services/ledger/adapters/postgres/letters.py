"""Dead letters in PostgreSQL: see `letters.DeadLetterBox`. For the command line: a connection for each question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from services.ledger.adapters.postgres.connecting import Connection, connect
from services.ledger.adapters.postgres.errors import translated
from services.ledger.adapters.postgres.statements import STATEMENTS
from services.ledger.letters import Letter, Selection

_COUNT: Final = f"SELECT count(*) FROM ({STATEMENTS['find_letters']}) AS meant"  # noqa: S608  both texts are ours


class PostgresDeadLetterBox:
    """See `letters.DeadLetterBox`.

    Args:
        url: The database, as the role that owns the schema `ledger`.
        by: Who acts, for ingest's audit log.
    """

    def __init__(self, url: str, *, by: str) -> None:
        self._url = url
        self._by = by

    def find(self, selection: Selection, limit: int) -> list[Letter]:
        """See `DeadLetterBox.find`."""
        with self._connected("find dead letters") as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(STATEMENTS["find_letters"], _wanted(selection, limit))
            return [_letter(row) for row in rows]

    def count(self, selection: Selection) -> int:
        """See `DeadLetterBox.count`."""
        with self._connected("count dead letters") as connection:
            row = connection.execute(_COUNT, _wanted(selection, None)).fetchone()
            return int(row[0]) if row is not None else 0

    def mark_replayed(self, letter_id: int, replayed_as: str) -> None:
        """See `DeadLetterBox.mark_replayed`."""
        marked = {"letter_id": letter_id, "replayed_as": replayed_as}
        with self._connected("mark a dead letter") as connection, connection.transaction():
            connection.execute(STATEMENTS["mark_replayed"], marked)
            self._log(connection, "letter.replayed", str(letter_id), {"as": replayed_as})

    def mark_dropped(self, letter_ids: Sequence[int]) -> int:
        """See `DeadLetterBox.mark_dropped`."""
        with self._connected("drop dead letters") as connection, connection.transaction():
            dropped = connection.execute(STATEMENTS["mark_dropped"], {"letter_ids": list(letter_ids)}).fetchall()
            ids = sorted(letter_id for (letter_id,) in dropped)
            if ids:
                self._log(connection, "letters.dropped", f"{ids[0]}-{ids[-1]}", {"letters": len(ids), "ids": ids[:100]})
        return len(ids)

    def _log(self, connection: Connection, act: str, subject: str, details: dict[str, object]) -> None:
        said = {"who": self._by, "act": act, "subject": subject, "details": Jsonb(details)}
        connection.execute(STATEMENTS["log_act"], said)

    @contextmanager
    def _connected(self, doing: str) -> Iterator[Connection]:
        with translated(doing), connect(self._url) as connection:
            yield connection


def _wanted(selection: Selection, limit: int | None) -> dict[str, Any]:
    return {
        "letter_ids": None if selection.letter_ids is None else list(selection.letter_ids),
        "reason": selection.reason,
        "topic": selection.topic,
        "group": selection.group,
        "key": None if selection.job_id is None else selection.job_id.encode(),
        "since": selection.since,
        "also_done": selection.also_done,
        "limit": limit,
    }


def _letter(row: dict[str, Any]) -> Letter:
    names, values = row.pop("header_names"), row.pop("header_values")
    return Letter(headers=tuple(zip(names, map(bytes, values), strict=True)), **row)
