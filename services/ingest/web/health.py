"""GET /healthz (this process lives) and /readyz (its peers answer). Mounted by `app`; no key needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Response

from pipeline.errors import RazgovorError
from services.ingest.web.models import HealthDocument
from services.ingest.web.ports import Ports

router = APIRouter(tags=["health"])
PeerState = Literal["ok", "unavailable"]


@router.get("/healthz", response_model=HealthDocument, summary="Is the process alive?")
async def healthz() -> HealthDocument:
    """Answers while the process lives."""
    return HealthDocument(status="alive")


@router.get(
    "/readyz",
    response_model=HealthDocument,
    summary="Do its peers answer?",
    responses={503: {"model": HealthDocument, "description": "A peer that uploads need does not answer."}},
)
def readyz(ports: Ports, response: Response) -> HealthDocument:
    """Ready means that uploads are taken: database and store answer. The stream may be down meanwhile."""
    needed: dict[str, PeerState] = {name: _state(check) for name, check in ports.checks.items()}
    ready = all(state == "ok" for state in needed.values())
    if not ready:
        response.status_code = 503
    stream: PeerState = "ok" if ports.stream_healthy() else "unavailable"
    return HealthDocument(status="ready" if ready else "unready", peers={**needed, "stream": stream})


def _state(check: Callable[[], object]) -> PeerState:
    try:
        check()
    except RazgovorError:
        return "unavailable"
    return "ok"
