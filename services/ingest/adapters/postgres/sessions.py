"""Sessions of the page and the links into it, in PostgreSQL; see `sessions.Sessions`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pipeline.sql import queries
from services.ingest.adapters.postgres.audit_log import log
from services.ingest.adapters.postgres.clients import stored_key
from services.ingest.adapters.postgres.connecting import Connection, Database, one_row
from services.ingest.audit_log import LINK_CREATED, OPERATOR, SESSION_OPENED, Act, key_holder
from services.ingest.sessions import SESSIONS_OF_KEY_MAX, Session

STATEMENTS: Final = queries("services.ingest.adapters.postgres", "sessions.sql")


class PostgresSessions:
    """See `sessions.Sessions`. `by`: who makes links, for the audit log; a session is opened by its key's holder."""

    def __init__(self, database: Database, *, by: str = OPERATOR) -> None:
        self._database = database
        self._by = by

    def open(self, key_id: str, token_sha256: bytes, lasts: timedelta) -> None:
        """See `Sessions.open`."""
        with self._database.transaction_for_all("open a session") as connection:
            connection.execute(STATEMENTS["sweep_sessions"])
            connection.execute(STATEMENTS["crowd_out_sessions"], {"key_id": key_id, "others": SESSIONS_OF_KEY_MAX - 1})
            opened = {"key_id": key_id, "token_sha256": token_sha256, "lasts": lasts}
            connection.execute(STATEMENTS["open_session"], opened)
            _log(connection, SESSION_OPENED, key_id, by=key_holder(key_id))

    def find(self, token_sha256: bytes) -> Session | None:
        """See `Sessions.find`."""
        with self._database.transaction_for_all("find a session") as connection:
            row = connection.execute(STATEMENTS["find_session"], {"token_sha256": token_sha256}).fetchone()
        return None if row is None else Session(stored_key(row), row["session_expires_at"])

    def close(self, token_sha256: bytes) -> None:
        """See `Sessions.close`."""
        with self._database.statement("close a session") as connection:
            connection.execute(STATEMENTS["close_session"], {"token_sha256": token_sha256})

    def add_link(self, key_id: str, token_sha256: bytes, lasts: timedelta) -> bool:
        """See `Sessions.add_link`."""
        added = {"key_id": key_id, "token_sha256": token_sha256, "lasts": lasts}
        with self._database.transaction_for_all("add a link") as connection:
            connection.execute(STATEMENTS["sweep_links"])
            is_added = connection.execute(STATEMENTS["add_link"], added).rowcount == 1
            if is_added:
                _log(connection, LINK_CREATED, key_id, by=self._by)
        return is_added

    def use_link(self, token_sha256: bytes) -> str | None:
        """See `Sessions.use_link`."""
        with self._database.transaction_for_all("use a link") as connection:
            row = connection.execute(STATEMENTS["use_link"], {"token_sha256": token_sha256}).fetchone()
        return row["key_id"] if row is not None and row["works"] else None


def _log(connection: Connection, act: str, key_id: str, *, by: str) -> None:
    owner = one_row(connection.execute(STATEMENTS["fetch_owner"], {"key_id": key_id}).fetchone())["client_id"]
    log(connection, Act(who=by, act=act, client_id=owner, subject=key_id))
