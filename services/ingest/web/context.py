"""What surrounds every request: its id, the security headers, one log line, and the last resort. Plain ASGI.

Registered by `app` as the outermost layer.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from pipeline.errors import RazgovorError
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ingest.web import problems as web_problems

REQUEST_ID: Final = "X-Request-ID"
STRICT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
#: On every answer, whatever it is. HSTS is for whoever ends TLS before us.
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: On every answer that does not say its own.
USUAL_HEADERS: Final[Mapping[str, str]] = {"Content-Security-Policy": STRICT_POLICY, "Cache-Control": "no-store"}
_ANSWER_HEADERS: Final = "razgovor.answer_headers"
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def add_answer_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Have the answer carry these, whatever it will be."""
    request.scope.setdefault(_ANSWER_HEADERS, {}).update(headers)


class RequestContext:
    """Gives requests an id, answers their headers, logs them, and answers for what nobody caught.

    Args:
        app: What it surrounds; also there to look at.
        new_id: A random id.
    """

    def __init__(self, app: FastAPI, new_id: Callable[[], str]) -> None:
        self.app = app
        self._new_id = new_id
        self._log = logs.get(__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN_ID.fullmatch(given) else self._new_id()
        scope["razgovor.request_id"] = request_id
        started_s = time.monotonic()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                _add_headers(headers, request_id)
                headers.update(scope.get(_ANSWER_HEADERS, {}))
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001  the edge of the process; the text may hold personal data, so only types and lines are logged
            self._log.error("unhandled", request_id=request_id, error=_named(error), lines=_lines(error))
            if not status:
                problem = web_problems.as_problem(error)
                await web_problems.response(problem, request_id)(scope, receive, send_with_headers)
        duration_s = time.monotonic() - started_s
        duration_ms = round(duration_s * 1000)
        route = getattr(scope.get("route"), "path", None)
        self._count(scope["method"], route, status, duration_s)
        self._log.info(
            "request",
            request_id=request_id,
            method=scope["method"],
            route=route,
            status=status,
            duration_ms=duration_ms,
        )

    def _count(self, method: str, route: str | None, status: int, duration_s: float) -> None:
        # What is no route of ours, and no method that any has, is one: anybody can make up names.
        labels = {"method": method if route and method in _METHODS else "other", "route": route or "other"}
        metrics: Metrics = self.app.state.ports.metrics
        metrics.observe(families.REQUESTS, duration_s, **labels, status=str(status))


def _add_headers(headers: MutableHeaders, request_id: str) -> None:
    headers[REQUEST_ID] = request_id
    headers.update(SECURITY_HEADERS)
    for name, value in USUAL_HEADERS.items():
        headers.setdefault(name, value)


def _named(error: Exception) -> str:
    """Its type; our own errors also say what happened, without personal data."""
    return repr(error) if isinstance(error, RazgovorError) else type(error).__name__


def _lines(error: BaseException) -> list[str]:
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
