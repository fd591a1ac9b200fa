"""What is known of a call beside its recording: read out of a path, a sidecar or a journal. Values only.

`patterns`, `sidecars` and `oktell` make them; `taking` submits them as the fields of `services.ingest.fields`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from pipeline.contracts.call_info import CHAIN_ID

INBOUND: Final = "inbound"
OUTBOUND: Final = "outbound"
#: The name in a job's `metadata` of the two lines, where a path says no more than these.
LINES: Final = "lines"
_METADATA: Final = "metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a path says. None: it does not say.

    Attributes:
        local_time: When the call began, by the PBX's clock: without a zone.
        direction: `inbound` or `outbound`.
        lines: The two lines that were connected, in the order of the name, which says nothing of who called.
        chain_id: Shared by the parts of one transferred call.
        metadata: Further texts, given back with the job.
    """

    call_id: str | None = None
    local_time: datetime | None = None
    direction: str | None = None
    operator: str | None = None
    customer_number: str | None = None
    queue: str | None = None
    lines: tuple[str, str] | None = None
    chain_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def started_at(self, zone: tzinfo | None) -> datetime | None:
        """When the call began; None where the time or the PBX's zone is not known. Of an hour that comes twice, the first."""
        return None if self.local_time is None or zone is None else self.local_time.replace(tzinfo=zone)


def upload_fields(reading: Reading, zone: tzinfo | None, sidecar: Mapping[str, str] | None = None) -> dict[str, str]:
    """The fields of an upload, as `fields.parse_fields` takes them; what a sidecar says goes before what a path says.

    Args:
        reading: What the path says, and the journal.
        zone: Of the PBX's clock; None: the call has no time, rather than a wrong one.
        sidecar: Fields out of the file beside the recording.
    """
    started_at = reading.started_at(zone)
    said = {
        "call_id": reading.call_id,
        "started_at": None if started_at is None else started_at.isoformat(),
        "direction": reading.direction,
        "operator": reading.operator,
        "customer_number": reading.customer_number,
        "queue": reading.queue,
    }
    texts = {name: text for name, text in said.items() if text} | dict(sidecar or {})
    metadata = dict(reading.metadata)
    if reading.lines is not None:
        metadata[LINES] = " ".join(reading.lines)
    if reading.chain_id:
        metadata[CHAIN_ID] = reading.chain_id
    metadata |= json.loads(texts.get(_METADATA, "{}"))
    return texts | ({_METADATA: json.dumps(metadata, ensure_ascii=False)} if metadata else {})
