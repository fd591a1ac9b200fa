"""What uvicorn speaks HTTP with: h11, with an answer of ours to what is no HTTP, and no patience for slow heads.

Given to uvicorn by `server`. Bodies have their own deadlines (`body`); before a request's head is whole nobody but
this room sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from services.ingest.problems import BAD_REQUEST, REQUEST_TIMEOUT, Problem
from services.ingest.web.context import REQUEST_ID, SECURITY_HEADERS, USUAL_HEADERS
from services.ingest.web.problems import response

HEAD_TIMEOUT_S: Final = 30.0


class ProblemProtocol(H11Protocol):
    """One connection. Its next request's head has to be whole `head_timeout_s` after it was made, or after the last answer.

    Else whoever sends a byte now and then holds a connection for ever: uvicorn's own timer starts anew with each, and not
    before the first answer.
    """

    head_timeout_s = HEAD_TIMEOUT_S
    #: A random id, for a request that got none.
    new_id: Callable[[], str]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def handle_events(self) -> None:
        """Take what has come."""
        super().handle_events()
        if self._is_busy():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP (a negative Content-Length, for one), and hang up."""
        self._refuse(Problem(BAD_REQUEST, msg))

    def _is_busy(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # none before the first request
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(self.head_timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.trailing_data[0] and not self._is_busy():
            self._refuse(Problem(REQUEST_TIMEOUT, "the request's head took too long"))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        request_id = self.new_id()
        answer = response(problem, request_id)
        headers = {
            **SECURITY_HEADERS,
            **USUAL_HEADERS,
            **dict(answer.headers),
            "Connection": "close",
            REQUEST_ID: request_id,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        kind = problem.kind
        self.transport.write(f"HTTP/1.1 {kind.status} {kind.title}\r\n{head}\r\n".encode("ascii") + bytes(answer.body))
        self.transport.close()
