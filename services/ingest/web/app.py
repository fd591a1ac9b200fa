"""Puts the HTTP layer together. Called by `__main__`, and by tests with fakes."""

from __future__ import annotations

import anyio
from fastapi import FastAPI

from services.ingest.web import (
    batch,
    docs,
    downloads,
    health,
    jobs,
    live,
    methods,
    openapi,
    orders,
    page,
    problems,
    reports,
    sessions,
    streams,
    submit,
    waveforms,
    webhooks,
)
from services.ingest.web.context import RequestContext
from services.ingest.web.ports import WebPorts

VERSION = "1"
_ROUTERS = (
    submit.router,
    batch.router,
    jobs.router,
    orders.router,
    streams.router,
    live.router,
    downloads.router,
    reports.router,
    waveforms.router,
    sessions.router,
    webhooks.router,
    health.router,
    docs.router,
    page.router,
)
_DESCRIPTION = """Send recordings of calls, get transcripts: who said what, and when.

Every error is `application/problem+json` with a stable `code`. An accepted job is never lost: ask for its state, then
download its transcript. Give an `Idempotency-Key` when you may have to repeat a request."""
_TAGS = [
    {"name": "jobs", "description": "One job is one recording on its way through the pipeline."},
    {"name": "results", "description": "What came out, and what went in."},
    {"name": "reports", "description": "Over many calls: a workbook, and what was used."},
    {"name": "session", "description": "For the page at `/`: a cookie in place of a key."},
    {"name": "webhooks", "description": "What your own server was told of ends of jobs."},
    {"name": "health", "description": "For whoever operates the service."},
]


def create_app(ports: WebPorts) -> RequestContext:
    """The application.

    Args:
        ports: Everything that it reaches.

    Returns:
        An ASGI application: the FastAPI one inside what surrounds every request.
    """
    app = FastAPI(
        title="razgovor",
        version=VERSION,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.ports = ports
    app.state.accepting = anyio.CapacityLimiter(submit.ACCEPTING_AT_ONCE)
    app.state.drawing = anyio.CapacityLimiter(waveforms.DRAWING_AT_ONCE)
    problems.register(app)
    app.router.routes.append(methods.OtherMethods(_ROUTERS))
    for router in _ROUTERS:
        app.include_router(router)
    openapi.install(app)
    return RequestContext(app, ports.new_id)
