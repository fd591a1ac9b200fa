"""`/`: the page, and its files under /page/. Mounted by `app`; no key needed, as there is nothing of anybody's in it.

The policy lets the page load from us alone: no script and no style inside it, but the one style that the waveform's library
writes, told by the answer's nonce. No text becomes HTML: the browser refuses what `trust.js` does not allow.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.ingest.problems import NOT_FOUND, Problem
from services.ingest.web import assets, ranges
from services.ingest.web.ports import Ports

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; manifest-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types default"
)
_PERMISSIONS: Final = "camera=(), geolocation=(), microphone=()"
#: A browser keeps a file and asks whether it is still the same: after an upgrade nobody has half of the old page.
_KEPT: Final = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)
_files = cache(assets.load)
_index = cache(assets.index)


@router.get("/")
async def page(ports: Ports) -> Response:
    """The page. Its nonce is another one each time, so it is never kept."""
    nonce = base64.b64encode(ports.new_token()[:16]).decode()
    headers = {"Content-Security-Policy": _POLICY.format(nonce=nonce), "Permissions-Policy": _PERMISSIONS}
    return Response(_index().replace("{nonce}", nonce), media_type="text/html", headers=headers)


@router.get("/page/{name:path}")
async def asset(request: Request, name: str) -> Response:
    """A file of the page."""
    found = _files().get(name)
    if found is None:
        raise Problem(NOT_FOUND, "there is nothing at this address")
    headers = {**_KEPT, "ETag": found.etag}
    if ranges.is_known(request.headers.get("if-none-match"), found.etag):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)
