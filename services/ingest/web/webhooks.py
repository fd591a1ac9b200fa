"""GET and POST /v1/webhooks: what a client was told of ends of its jobs, and what it may have told again. Mounted by `app`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.problems import INVALID_FIELD, NO_WEBHOOK, NOT_FOUND, Problem
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Reader, Submitter
from services.ingest.web.ports import Ports
from services.ingest.webhooks.deliveries import Delivery

MAX_PAGE: Final = 100
_WEBHOOK_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Status = Literal["pending", "delivered", "refused", "expired"]

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class DeliveryDocument(BaseModel):
    """A message to your webhook. `webhook_id` is the one that it came with, the same however often it was sent."""

    model_config = ConfigDict(frozen=True)

    webhook_id: str
    type: str = Field(description="`job.` and the state of its job, or `webhook.test`.")
    job_id: str | None
    run: int | None
    state: str | None
    reason: str | None
    status: Status
    created_at: datetime
    attempts: int
    attempted_at: datetime | None
    next_attempt_at: datetime | None
    status_code: int | None = Field(description="What your server answered the last time.")
    fault: str | None = Field(description="Why there was no answer the last time, or nothing was sent.")


class DeliveryPageDocument(BaseModel):
    """Messages, newest first. `next_cursor` is null on the last page."""

    model_config = ConfigDict(frozen=True)

    deliveries: list[DeliveryDocument]
    next_cursor: str | None


def _document(delivery: Delivery) -> DeliveryDocument:
    return DeliveryDocument(
        webhook_id=delivery.webhook_id,
        type=delivery.type,
        job_id=delivery.job_id,
        run=delivery.run,
        state=delivery.state,
        reason=delivery.reason,
        status=delivery.status,
        created_at=delivery.created_at,
        attempts=delivery.attempts,
        attempted_at=delivery.attempted_at,
        next_attempt_at=None if delivery.settled_at is not None else delivery.due_at,
        status_code=delivery.status_code,
        fault=delivery.fault,
    )


@router.get(
    "/deliveries",
    response_model=DeliveryPageDocument,
    summary="List what your webhook was told",
    responses=documented("invalid_field", *COMMON),
)
def list_deliveries(
    ports: Ports,
    client: Reader,
    status: Annotated[Status | None, Query(description="Only messages with this status.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Messages on a page.")] = 20,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
) -> DeliveryPageDocument:
    """Messages about ends of your jobs, newest first, for a month after they were settled."""
    if cursor is not None and ports.webhooks.find(client.client_id, _checked(cursor)) is None:
        raise Problem(INVALID_FIELD, "must be the next_cursor of a page", field="cursor")
    found = ports.webhooks.page(client.client_id, status=status, after=cursor, limit=limit + 1)
    shown = found[:limit]
    more = shown[-1].webhook_id if len(found) > limit else None
    return DeliveryPageDocument(deliveries=[_document(one) for one in shown], next_cursor=more)


@router.post(
    "/deliveries/{webhook_id}/replay",
    status_code=202,
    response_model=DeliveryDocument,
    summary="Have a message sent again",
    responses=documented("not_found", *COMMON),
)
def replay(ports: Ports, client: Submitter, webhook_id: str) -> DeliveryDocument:
    """Send a message again, with the same id, for another day. One that waits for its next attempt is tried now."""
    known = _WEBHOOK_ID.fullmatch(webhook_id) is not None
    found = ports.webhooks.replay(client.client_id, webhook_id) if known else None
    if found is None:
        raise Problem(NOT_FOUND, "there is no message with this id")
    ports.on_webhook()
    return _document(found)


@router.post(
    "/test",
    status_code=202,
    response_model=DeliveryDocument,
    summary="Try your webhook",
    responses=documented("no_webhook", *COMMON),
)
def test(ports: Ports, client: Submitter) -> DeliveryDocument:
    """Send your webhook a message of the type `webhook.test`, which tells of nothing."""
    found = ports.webhooks.test(client.client_id, ports.new_id())
    if found is None:
        raise Problem(NO_WEBHOOK, "your operator has set no address to tell")
    ports.on_webhook()
    return _document(found)


def _checked(cursor: str) -> str:
    if _WEBHOOK_ID.fullmatch(cursor) is None:
        raise Problem(INVALID_FIELD, "must be the next_cursor of a page", field="cursor")
    return cursor
