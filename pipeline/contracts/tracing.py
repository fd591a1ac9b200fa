"""W3C trace context that follows from the job: whoever traces sees one trace for one call, over all services and topics.

https://www.w3.org/TR/trace-context/: `00-<trace-id>-<parent-id>-<flags>`.
"""

from __future__ import annotations

import uuid
from typing import Final

TRACEPARENT_HEADER: Final = "traceparent"
_VERSION: Final = "00"
_PARENT_ID_DIGITS: Final = 16
#: We record no spans; the flag lets a subscriber that samples by its parent record its own.
_SAMPLED: Final = "01"


def traceparent(job_id: str, event_id: str) -> str:
    """The header's value: the trace is the job, the parent is the event. Repeating an event repeats it."""
    return f"{_VERSION}-{_uuid(job_id).hex}-{_uuid(event_id).hex[:_PARENT_ID_DIGITS]}-{_SAMPLED}"


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:  # an id that is no uuid still gives one trace, the same everywhere
        return uuid.uuid5(uuid.NAMESPACE_OID, text)
