"""What a report is asked for. Apart from `reports`, which makes it in a child: ingest itself loads no writer of workbooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pipeline.errors import RazgovorError

#: More calls than this are asked for period by period.
MAX_CALLS: Final = 100_000


class TooManyCalls(RazgovorError):
    """The period holds more calls than a report may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuestion:
    """What a report is to hold.

    Attributes:
        since, before: Of the acceptance: then or later, and earlier.
        locale: Of headings and reasons, `ru` or `en`.
        dialogues: Whether what was said is in it, with the figures that only transcripts tell.
    """

    client_id: str
    since: datetime
    before: datetime
    locale: str
    dialogues: bool = True
