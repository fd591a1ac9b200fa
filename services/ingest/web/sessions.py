"""/v1/session: signing in to the page, who is signed in, signing out. Mounted by `app`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from services.ingest import sessions
from services.ingest.clients import StoredKey
from services.ingest.problems import FORBIDDEN, INVALID_FIELD, TOO_LARGE, UPLOAD_TIMEOUT, Problem
from services.ingest.scopes import SCOPES
from services.ingest.web import cookies
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Anybody, Caller, key_of, unauthorized
from services.ingest.web.limits import take_request
from services.ingest.web.models import SessionDocument
from services.ingest.web.ports import Ports, WebPorts

_MAX_BODY_BYTES: Final = 4096
_PATIENCE_S: Final = 10.0
_PageHeader = Annotated[
    str | None,
    Header(
        alias=cookies.PAGE_HEADER, max_length=64, description="Anything: only a page of the same origin can send it."
    ),
]


class _SignIn(BaseModel):
    """An API key, or the token of a one-time link."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    key: str | None = Field(default=None, max_length=128)
    link: str | None = Field(default=None, max_length=128)


_OPENAPI: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "One of the two.",
                    "properties": {
                        "key": {"type": "string", "maxLength": 128, "description": "An API key."},
                        "link": {"type": "string", "maxLength": 128, "description": "The token of a one-time link."},
                    },
                    "additionalProperties": False,
                    "minProperties": 1,
                    "maxProperties": 1,
                }
            }
        },
    },
}

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post(
    "",
    response_model=SessionDocument,
    summary="Sign in to the page",
    openapi_extra=_OPENAPI,
    responses=documented("upload_timeout", "too_large", "invalid_field", *COMMON),
)
async def sign_in(request: Request, response: Response, ports: Ports, _page: _PageHeader = None) -> SessionDocument:
    """Give an API key or the token of a one-time link, and get a cookie that opens what the key opens, for 12 hours or until
    the key is revoked. For browsers; programs send the key itself.
    """
    if cookies.PAGE_HEADER not in request.headers:
        raise Problem(FORBIDDEN, f"send the header {cookies.PAGE_HEADER}")
    key = await _key_wanted(ports, await _read(request))
    await take_request(request, ports, key.client)
    token, kept = sessions.new(ports.new_token())
    await run_in_threadpool(ports.sessions.open, key.key_id, kept, sessions.SESSION_LASTS)
    opened = await run_in_threadpool(ports.sessions.find, kept)
    if opened is None:
        raise unauthorized()
    cookies.set_token(request, response, token, sessions.SESSION_LASTS)
    return _document(ports, Caller(opened.key, opened.expires_at))


@router.get("", response_model=SessionDocument, summary="Who is signed in", responses=documented(*COMMON))
async def show(ports: Ports, caller: Anybody) -> SessionDocument:
    """Whose session or key this is, and what it may do."""
    return _document(ports, caller)


@router.delete(
    "", status_code=204, response_class=Response, summary="Sign out", responses=documented("forbidden", "invalid_field")
)
async def sign_out(request: Request, ports: Ports, _page: _PageHeader = None) -> Response:
    """End the session whose cookie this is; without one nothing changes."""
    cookies.refuse_foreign(request)
    token = cookies.token_of(request)
    kept = sessions.sha256(token) if token is not None else None
    if kept is not None:
        await run_in_threadpool(ports.sessions.close, kept)
    response = Response(status_code=204)
    cookies.forget_token(request, response)
    return response


async def _key_wanted(ports: WebPorts, wanted: _SignIn) -> StoredKey:
    """The key that was given, or that a link was made for."""
    if wanted.link is None:
        return await key_of(ports, wanted.key or "")
    kept = sessions.sha256(wanted.link)
    key_id = await run_in_threadpool(ports.sessions.use_link, kept) if kept is not None else None
    stored = await run_in_threadpool(ports.keys.find, key_id) if key_id is not None else None
    if stored is None or stored.revoked:
        raise unauthorized()
    return stored


async def _read(request: Request) -> _SignIn:
    """The body: a few hundred bytes of a stranger's, so neither many are taken nor waited for long."""
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_BODY_BYTES:
                    raise Problem(TOO_LARGE, f"at most {_MAX_BODY_BYTES} bytes are taken here")
    except TimeoutError:
        raise Problem(UPLOAD_TIMEOUT, "the request came too slowly") from None
    try:
        wanted = _SignIn.model_validate_json(bytes(body))
    except ValidationError:  # its text would repeat what may be a key
        wanted = _SignIn()
    if (wanted.key is None) == (wanted.link is None):
        raise Problem(INVALID_FIELD, 'give {"key": "..."} or {"link": "..."}', field="key")
    return wanted


def _document(ports: WebPorts, caller: Caller) -> SessionDocument:
    client = caller.client
    return SessionDocument(
        client_id=client.client_id,
        name=client.name,
        locale=client.locale,
        scopes=[scope for scope in SCOPES if scope in caller.key.scopes],
        ends_at=caller.session_ends_at,
        max_audio_bytes=ports.limits.max_audio_bytes,
    )
