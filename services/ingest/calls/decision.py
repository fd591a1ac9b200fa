"""What an upstream system's event means: a recording to take, an answer to repeat, or a fault. Reads through its ports only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from pipeline.contracts import events
from pipeline.contracts.events import CallRecorded, JobStatus
from pipeline.errors import CallFault
from pipeline.outcome import Outcome
from services.ingest.calls.ports import Calls, Refusal
from services.ingest.clients import Client
from services.ingest.fields import CallFields, parse_fields
from services.ingest.problems import Problem
from services.ingest.sources import Reference, covers, reference

STAGE: Final = "ingest"
#: In the details of a refusal: the id of the event that is answered.
EVENT_ID_DETAIL: Final = "call_recorded_event_id"


class KnownClients(Protocol):
    """Tells who is a client."""

    def fetch(self, client_id: str) -> Client | None:
        """See `ports.Clients.fetch`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeCall:
    """A recording is to be copied and accepted.

    Attributes:
        texts: The fields of its submission, as an upload would name them; checked.
        call_info: Where more of them lie; None: nowhere.
    """

    event: CallRecorded
    client: Client
    run: int
    audio: Reference
    call_info: Reference | None
    texts: Mapping[str, str]


def decide(event: CallRecorded, calls: Calls, clients: KnownClients, languages: Collection[str]) -> Outcome[TakeCall]:
    """What follows from an event.

    Args:
        event: The upstream system's.
        calls: What became of calls.
        clients: Whose they can be.
        languages: That this installation transcribes.

    Raises:
        CallFault: `no_such_client`, `source_not_allowed`, `invalid_field`.
        Transient: The database does not answer.
    """
    standing = calls.standing(event.client_id, event.job_id)
    if standing.accepted:
        return Outcome()  # the relay announces it, and its job says the rest
    if standing.refusal is not None and standing.refusal.is_final:
        return Outcome(events=(answer(event, standing.refusal),))
    client = clients.fetch(event.client_id)
    if client is None:
        raise CallFault("no_such_client")
    audio = _source(client, event.audio.bucket, event.audio.key)
    call_info = None if event.call_info_key is None else _source(client, event.audio.bucket, event.call_info_key)
    texts = _texts(event)
    checked(texts, languages)  # before anything is copied
    take = TakeCall(event=event, client=client, run=standing.next_run, audio=audio, call_info=call_info, texts=texts)
    return Outcome(effects=(take,))


def answer(event: CallRecorded, refusal: Refusal) -> JobStatus:
    """What is told of a refusal; made again it is the same event."""
    cause = event.model_copy(update={"run": refusal.run})
    return events.failure(cause, STAGE, refusal.reason, {**refusal.details, EVENT_ID_DETAIL: event.event_id})


def checked(texts: Mapping[str, str], languages: Collection[str]) -> CallFields:
    """The fields that these texts are, as an upload's would be.

    Raises:
        CallFault: `invalid_field`, naming the first at fault.
    """
    try:
        return parse_fields(texts, languages)
    except Problem as problem:
        raise CallFault("invalid_field", field=problem.field or "") from None


def _source(client: Client, bucket: str, key: str) -> Reference:
    found = reference(bucket, key)
    if found is None or not covers(client.sources, found):
        raise CallFault("source_not_allowed")
    return found


def _texts(event: CallRecorded) -> dict[str, str]:
    said = {
        "call_id": event.call_id,
        "started_at": None if event.started_at is None else event.started_at.isoformat(),
        "direction": event.direction,
        "channels": ",".join(event.channel_roles),
        "language": event.language,
        "locale": event.locale,
        "formats": ",".join(event.formats),
        "priority": event.priority,
        "codec": event.codec,
        "sample_rate_hz": event.sample_rate_hz,
        "channel_count": event.channel_count,
    }
    return {name: str(value) for name, value in said.items() if value is not None}
