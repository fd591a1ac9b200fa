"""The session's cookie, and what a request that carries it must show so that no other site can have sent it.

Called by `auth` and `sessions`. The cookie is for us alone (HttpOnly, SameSite=Strict, under `__Host-` and Secure where we
are asked by https). Another page on the same host may be the same site, so what changes something must also carry a
header that only a page of the same origin can set.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from services.ingest.problems import FORBIDDEN, Problem

NAME: Final = "razgovor"
#: Only sent, and only believed, over https: neither a sibling domain nor plain http can set it.
SECURE_NAME: Final = "__Host-razgovor"
PAGE_HEADER: Final = "X-Razgovor-Page"
_SAFE: Final = frozenset({"GET", "HEAD"})
_OURS: Final = frozenset({"same-origin", "none"})


def is_https(request: Request) -> bool:
    """Whether the browser speaks https, to us or to the proxy before us. Who lies about it gets a cookie of less use."""
    said = (
        request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    )  # the first proxy's comes first
    return "https" in {request.url.scheme, said}


def token_of(request: Request) -> str | None:
    """The session's token that the browser sent, unchecked."""
    return request.cookies.get(SECURE_NAME if is_https(request) else NAME)


def set_token(request: Request, response: Response, token: str, lasts: timedelta) -> None:
    """Have the browser keep a token."""
    secure = is_https(request)
    response.set_cookie(
        SECURE_NAME if secure else NAME,
        token,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def forget_token(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    secure = is_https(request)
    response.delete_cookie(SECURE_NAME if secure else NAME, path="/", secure=secure, httponly=True, samesite="strict")


def refuse_foreign(request: Request) -> None:
    """Refuse what another site may have had the browser send.

    Raises:
        Problem: `forbidden`.
    """
    said = request.headers.get("sec-fetch-site", "none")
    if said not in _OURS or (request.method not in _SAFE and PAGE_HEADER not in request.headers):
        raise Problem(FORBIDDEN, f"with a session's cookie only the page itself may ask, and with {PAGE_HEADER}")
