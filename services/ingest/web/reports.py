"""GET /v1/reports/calls.xlsx and /v1/usage: what a month of calls was, for people. Mounted by `app`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, BinaryIO, Final, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from services.ingest import problems
from services.ingest.clients import LOCALES
from services.ingest.fields import Moment
from services.ingest.problems import Problem
from services.ingest.report_questions import MAX_CALLS, ReportQuestion, TooManyCalls
from services.ingest.usage import Usage, month_of
from services.ingest.web.answers import COMMON, documented
from services.ingest.web.auth import Reader
from services.ingest.web.downloads import MEDIA_TYPES
from services.ingest.web.jobs import in_range
from services.ingest.web.languages import preferred
from services.ingest.web.ports import Ports, WebPorts
from services.ingest.web.usage_documents import UsageDocument, usage_document

_READ_BYTES: Final = 262_144
_RETRY_AFTER_S: Final = 15
_DAY: Final = timedelta(days=1)
_WRITTEN_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def _day(text: str) -> str:
    if not _WRITTEN_DAY.fullmatch(text):
        raise ValueError("must be a day, e.g. 2026-01-31")
    return text


#: Of UTC; a number is none.
_Day = Annotated[date, BeforeValidator(_day)]

router = APIRouter(prefix="/v1", tags=["reports"])


@router.get(
    "/reports/calls.xlsx",
    response_class=Response,
    summary="Download a period's calls as one workbook",
    responses={
        200: {
            "description": "A row a call, newest first, parts of one call together; what was said on the second sheet.",
            "content": {MEDIA_TYPES["xlsx"]: {"schema": {"type": "string", "format": "binary"}}},
        },
        **documented("invalid_field", "report_under_way", *COMMON),
    },
)
async def calls(
    ports: Ports,
    client: Reader,
    *,
    since: Annotated[
        Moment | _Day,
        Query(alias="from", description="Accepted then or later: a time with its zone, or a day of UTC."),
    ],
    before: Annotated[
        Moment | _Day, Query(alias="to", description="Accepted earlier than a time, or up to the end of a day.")
    ],
    lang: Annotated[
        Literal["ru", "en"] | None, Query(description="Of headings and reasons. Else Accept-Language, else yours.")
    ] = None,
    accept_language: Annotated[str | None, Header(max_length=200)] = None,
    dialogues: Annotated[bool, Query(description="Whether what was said is in it.")] = True,
) -> Response:
    """Every call that was accepted in a period, as an Excel workbook. It is made when asked for: a month of many calls
    takes minutes; without `dialogues` it is quick, and lacks the figures that only transcripts tell.
    """
    question = ReportQuestion(
        client_id=client.client_id,
        since=in_range(_moment(since), "from"),
        before=in_range(_moment(before, end_of_day=True), "to"),
        locale=lang or preferred(accept_language, LOCALES) or client.locale,
        dialogues=dialogues,
    )
    file = await run_in_threadpool(_made, ports, question)
    return StreamingResponse(
        _stream(file),
        media_type=MEDIA_TYPES["xlsx"],
        headers={"Content-Disposition": 'attachment; filename="calls.xlsx"'},
    )


@router.get(
    "/usage",
    response_model=UsageDocument,
    summary="Show what was used in a month",
    responses=documented("invalid_field", *COMMON),
)
def usage(
    ports: Ports,
    client: Reader,
    month: Annotated[
        str, Query(pattern=r"^(19[7-9]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])$", description="Of UTC, as 2026-11.")
    ],
) -> UsageDocument:
    """What you used in a month: calls, minutes, failures by reason, hours of the engine, and what an hour of audio cost."""
    first = month_of(month)
    found = ports.usage.of_month(first, client.client_id)
    mine = next(iter(found), None) or Usage(client_id=client.client_id, month=first)
    return usage_document(mine, ports.prices)


def _moment(said: datetime | date, *, end_of_day: bool = False) -> datetime:
    """A time as it is; of a day its beginning, or its end."""
    if isinstance(said, datetime):
        return said
    begins = datetime.combine(said, time(), UTC)
    return begins + _DAY if end_of_day and said < date.max else begins


def _made(ports: WebPorts, question: ReportQuestion) -> BinaryIO:
    try:
        file = ports.reports.make(question)
    except TooManyCalls:
        raise Problem(
            problems.INVALID_FIELD, f"more than {MAX_CALLS} calls were accepted in this period", field="to"
        ) from None
    if file is None:
        raise Problem(
            problems.REPORT_UNDER_WAY,
            "another report is being made; ask again when it is done",
            headers={"Retry-After": str(_RETRY_AFTER_S)},
        )
    return file


async def _stream(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while data := await run_in_threadpool(file.read, _READ_BYTES):
            yield data
