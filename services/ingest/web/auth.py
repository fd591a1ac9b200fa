"""Who calls: the client comes from the API key, never from the request. Missing, wrong and revoked look the same."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.ingest import keys
from services.ingest.audit_log import key_holder
from services.ingest.clients import Client, StoredKey
from services.ingest.problems import FORBIDDEN, UNAUTHORIZED, Problem
from services.ingest.scopes import ADMIN, READ, SUBMIT
from services.ingest.web.limits import take_request
from services.ingest.web.ports import Ports, WebPorts

_BEARER: Final = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    bearerFormat="rzg_<keyid>_<secret>_<crc>",
    description="An API key of your operator, made by `razgovor keys create`: `Authorization: Bearer rzg_...`",
)


def _unauthorized() -> Problem:
    return Problem(
        UNAUTHORIZED,
        "give a valid API key: Authorization: Bearer rzg_...",
        headers={"WWW-Authenticate": 'Bearer realm="razgovor"'},
    )


class _Needs:
    """A dependency that lets callers with a scope pass."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    async def __call__(
        self,
        request: Request,
        ports: Ports,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> Client:
        parsed = keys.parse(credentials.credentials) if credentials is not None else None
        stored = await _stored(ports, parsed) if parsed is not None else None
        same = keys.matches(parsed, stored.secret_sha256 if stored is not None else None)
        if stored is None or not same or stored.revoked:
            raise _unauthorized()
        if self._scope not in stored.scopes:
            raise Problem(FORBIDDEN, f"the API key lacks the scope {self._scope}")
        request.state.by = key_holder(stored.key_id)
        await take_request(request, ports, stored.client)
        return stored.client


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
Submitter = Annotated[Client, Depends(_Needs(SUBMIT))]
Reader = Annotated[Client, Depends(_Needs(READ))]
Admin = Annotated[Client, Depends(_Needs(ADMIN))]
