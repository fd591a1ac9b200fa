"""Who calls: the client comes from the API key, or from the session that was opened with one, never from the request.

Missing, wrong and revoked look the same. A key in `Authorization` is looked at first; a cookie counts only without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.ingest import keys, sessions
from services.ingest.audit_log import key_holder
from services.ingest.clients import Client, StoredKey
from services.ingest.problems import FORBIDDEN, UNAUTHORIZED, Problem
from services.ingest.scopes import ADMIN, READ, SUBMIT
from services.ingest.web import cookies
from services.ingest.web.limits import take_request
from services.ingest.web.ports import Ports, WebPorts

_BEARER: Final = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    bearerFormat="rzg_<keyid>_<secret>_<crc>",
    description="An API key of your operator, made by `razgovor keys create`: `Authorization: Bearer rzg_...`",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, with which key.

    Attributes:
        session_ends_at: When the session ends that says so; None: the key itself came.
    """

    key: StoredKey
    session_ends_at: datetime | None = None

    @property
    def client(self) -> Client:
        """Whose key it is."""
        return self.key.client


def unauthorized() -> Problem:
    """The one answer to all who show nothing that opens."""
    return Problem(
        UNAUTHORIZED,
        "give a valid API key: Authorization: Bearer rzg_...",
        headers={"WWW-Authenticate": 'Bearer realm="razgovor"'},
    )


class _Needs:
    """A dependency that lets callers with a scope pass; None: whoever has a valid key."""

    def __init__(self, scope: str | None) -> None:
        self._scope = scope

    async def __call__(
        self,
        request: Request,
        ports: Ports,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> Caller:
        caller = await _caller(request, ports, credentials)
        if self._scope is not None and self._scope not in caller.key.scopes:
            raise Problem(FORBIDDEN, f"the API key lacks the scope {self._scope}")
        request.state.by = key_holder(caller.key.key_id)
        await take_request(request, ports, caller.client)
        return caller


class _ClientOf:
    """A dependency: the client of a caller with a scope."""

    def __init__(self, scope: str) -> None:
        self._needs = _Needs(scope)

    async def __call__(
        self,
        request: Request,
        ports: Ports,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> Client:
        return (await self._needs(request, ports, credentials)).client


async def _caller(request: Request, ports: WebPorts, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    token = cookies.token_of(request) if "authorization" not in request.headers else None
    if token is not None:
        return await _by_session(request, ports, token)
    return Caller(await key_of(ports, credentials.credentials if credentials is not None else ""))


async def key_of(ports: WebPorts, text: str) -> StoredKey:
    """The key with this text.

    Raises:
        Problem: `unauthorized`: there is none, or it opens nothing.
        Transient: The database does not answer.
    """
    parsed = keys.parse(text)
    stored = await _stored(ports, parsed) if parsed is not None else None
    same = keys.matches(parsed, stored.secret_sha256 if stored is not None else None)
    if stored is None or not same or stored.revoked:
        raise unauthorized()
    return stored


async def _by_session(request: Request, ports: WebPorts, token: str) -> Caller:
    kept = sessions.sha256(token)
    session = await run_in_threadpool(ports.sessions.find, kept) if kept is not None else None
    if session is None:
        raise unauthorized()
    cookies.refuse_foreign(request)
    return Caller(session.key, session.expires_at)


async def _by(request: Request) -> str:
    return str(request.state.by)


async def _stored(ports: WebPorts, parsed: keys.ParsedKey) -> StoredKey | None:
    """The key with this id. Whoever is refused has waited for the database, so the time tells nobody which ids are in use."""
    recent = ports.keys.recent(parsed.key_id)
    if recent is not None and keys.matches(parsed, recent.secret_sha256):
        return recent
    return await run_in_threadpool(ports.keys.find, parsed.key_id)


#: Who calls, as the audit log knows it. Comes behind one of the others.
By = Annotated[str, Depends(_by)]
Anybody = Annotated[Caller, Depends(_Needs(None))]
Submitter = Annotated[Client, Depends(_ClientOf(SUBMIT))]
Reader = Annotated[Client, Depends(_ClientOf(READ))]
Admin = Annotated[Client, Depends(_ClientOf(ADMIN))]
