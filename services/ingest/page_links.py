"""One-time links into the page, made by command for whoever sits in front of the screen. Called by the command line.

A link has a key of its own, whose secret nobody ever sees and which ends with the session: nothing is left to be revoked.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from services.ingest import keys, scopes, sessions
from services.ingest.adapters.postgres import Database, PostgresClients, PostgresSessions, migrate
from services.ingest.admin import add_key, new_key
from services.ingest.audit_log import OPERATOR
from services.ingest.clients import Client
from services.ingest.ports import Clients
from services.ingest.sessions import LINK_LASTS, SESSION_LASTS, Sessions


def make_link(
    clients: Clients, kept: Sessions, client: Client, page_url: str, wanted: Sequence[str] = scopes.USUAL
) -> str:
    """A link that signs in to the page once, within `sessions.LINK_LASTS`.

    Args:
        clients: Where its key is kept.
        kept: Where the link is kept.
        client: Whose page it is; made with these defaults if it is missing.
        page_url: The page's address, http://host:port.
        wanted: What the session may do.

    Raises:
        ValueError: The client's settings or the scopes are not valid.
    """
    text = add_key(clients, client, *new_key(), wanted, lasts=LINK_LASTS + SESSION_LASTS)
    key = keys.parse(text)
    token, token_sha256 = sessions.new(secrets.token_bytes(sessions.TOKEN_BYTES))
    if key is None or not kept.add_link(key.key_id, token_sha256, LINK_LASTS):
        raise ValueError("the key of this link was revoked while it was made")
    return sessions.link_url(page_url, token)


def link_at(
    database_url: str, client: Client, page_url: str, wanted: Sequence[str] = scopes.USUAL, *, by: str = OPERATOR
) -> str:
    """The same, in a database, which is brought to this release first.

    Raises:
        ValueError: The client's settings or the scopes are not valid.
        Transient: The database does not answer.
        Fatal, Permanent: It refuses.
    """
    migrate(database_url)
    database = Database(database_url, max_connections=1)
    database.open()
    try:
        return make_link(PostgresClients(database, by=by), PostgresSessions(database), client, page_url, wanted)
    finally:
        database.close()
