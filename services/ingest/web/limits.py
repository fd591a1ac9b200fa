"""A client's rate: every answer says what is left of it, and 429 what to wait for. Called by `auth` before a body is read.

The headers are those of the IETF's draft on RateLimit fields for HTTP (draft-ietf-httpapi-ratelimit-headers-10).
"""

from __future__ import annotations

import math
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.ingest.clients import Client
from services.ingest.problems import RATE_LIMITED, Problem
from services.ingest.rates import WINDOW_S, Rate, Taken
from services.ingest.web.context import add_answer_headers
from services.ingest.web.ports import WebPorts

_POLICY: Final = '"requests"'


async def take_request(request: Request, ports: WebPorts, client: Client) -> None:
    """Count a request of a client that has a rate.

    Raises:
        Problem: `rate_limited`.
        Transient: The database does not answer.
    """
    if client.requests_per_minute is None:
        return
    rate = Rate(client.requests_per_minute)
    taken = ports.rates.refused(client.client_id, rate)
    if taken is None:
        taken = await run_in_threadpool(ports.rates.take, client.client_id, rate)
    add_answer_headers(request, _headers(rate, taken))
    if not taken.allowed:
        after_s = max(1, math.ceil(taken.wait_s(rate)))
        raise Problem(
            RATE_LIMITED,
            f"at most {rate.requests} requests in {WINDOW_S} s are taken; come again in {after_s} s",
            facts={"limit": rate.requests, "window_s": WINDOW_S},
            headers={"Retry-After": str(after_s)},
        )


def _headers(rate: Rate, taken: Taken) -> dict[str, str]:
    return {
        "RateLimit-Policy": f"{_POLICY};q={rate.requests};w={WINDOW_S}",
        "RateLimit": f"{_POLICY};r={taken.remaining(rate)};t={taken.reset_s()}",
    }
