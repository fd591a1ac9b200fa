"""From an event to what it means for the ledger. Pure: reads nothing, writes nothing, knows no clock.

Called by `batch` for each decoded record; `adapters.postgres` applies the effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.contracts import states
from pipeline.contracts.events import AudioUploaded, Completion, Event, JobStatus, TranscriptReady
from pipeline.outcome import Outcome
from services.ledger import storable
from services.ledger.claims import claim_of
from services.ledger.effects import (
    TRANSCRIPTION,
    TRANSCRIPTION_WAIVED,
    Effect,
    KeepResult,
    MergeRun,
    OrderErasure,
    PostUsage,
    RecordEvent,
    WaiveReprocess,
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where and when a record lay in its log. `recorded_at` is the record's own timestamp, aware."""

    topic: str
    partition: int
    offset: int
    recorded_at: datetime


def handle(arrival: Arrival, event: Event, *, bill_reprocess: bool) -> Outcome[Effect]:
    """What the event means for the ledger: first that it was here, then what it changes.

    A state that this release does not know (a newer producer's) is recorded raw and changes nothing: it has no rank, so
    it can't take part in the maximum. The release that learns it can apply it from `ledger.seen`.

    Args:
        arrival: Where its record came from.
        event: The event.
        bill_reprocess: Whether a run is billed when a lower one of its job completed too.
    """
    event = storable.event(event)
    claim = claim_of(event)
    record = RecordEvent(
        event_id=storable.key(event.event_id),
        job_id=storable.key(event.job_id),
        run=event.run,
        state=claim,
        counted=claim in states.ORDER,
        topic=arrival.topic,
        partition=arrival.partition,
        offset=arrival.offset,
        recorded_at=arrival.recorded_at,
    )
    if claim is None or not record.counted:
        return Outcome(effects=(record,))
    merge = _merge(event, claim, arrival.recorded_at)
    if claim == states.ERASED:
        return Outcome(effects=(record, merge, OrderErasure(job_id=record.job_id)))
    if not isinstance(event, JobStatus) or claim != states.COMPLETED or event.completion is None:
        return Outcome(effects=(record, merge))
    usage = _usage(event, event.completion)
    # Also of a first run: a later one may have been heard of before it.
    waived = WaiveReprocess(job_id=usage.job_id, kind=TRANSCRIPTION, waived_kind=TRANSCRIPTION_WAIVED)
    return Outcome(
        effects=(record, merge, _result(event, event.completion), usage, *(() if bill_reprocess else (waived,)))
    )


def _merge(event: Event, state: str, claimed_at: datetime) -> MergeRun:
    submission = event if isinstance(event, AudioUploaded) else None
    announced = event if isinstance(event, TranscriptReady) else None
    status = event if isinstance(event, JobStatus) else None
    return MergeRun(
        job_id=storable.key(event.job_id),
        run=event.run,
        client_id=storable.key(event.client_id),
        call_id=event.call_id,
        accepted_at=event.accepted_at,
        state=state,
        rank=states.rank(state),
        claimed_at=claimed_at,
        reason=status.reason if status else None,
        details=status.details or None if status else None,
        priority=submission.priority if submission else None,
        requested_language=submission.language if submission else None,
        announced_sha256=announced.transcript.sha256 if announced else None,
        turns=announced.turns if announced else None,
    )


def _result(event: JobStatus, completion: Completion) -> KeepResult:
    return KeepResult(
        job_id=storable.key(event.job_id),
        run=event.run,
        language=completion.language,
        channel_mode=completion.channel_mode,
        channels=completion.channels,
        duration_ms=completion.duration_ms,
        speech_ms=completion.speech_ms,
        words=completion.words,
        confidence=completion.confidence,
        partial=completion.partial,
        warnings=completion.warnings,
        engine=completion.engine,
        model=completion.model,
        model_sha256=completion.model_sha256,
        transcript=completion.transcript,
        artefacts=tuple(
            artefact.model_copy(update={"format": storable.key(artefact.format)}) for artefact in completion.artefacts
        ),
        timings=completion.timings,
    )


def _usage(event: JobStatus, completion: Completion) -> PostUsage:
    """Bills the call's duration, not channels x duration: what a client sees and can check is the length of the call.

    A call costs the same recorded in mono or stereo, so nobody is charged for the second channel that makes speakers
    exact; silence in it is dropped before the engine anyway. A client who wants it otherwise gets another price.
    """
    return PostUsage(
        job_id=storable.key(event.job_id),
        run=event.run,
        kind=TRANSCRIPTION,
        client_id=storable.key(event.client_id),
        accepted_at=event.accepted_at,
        period=event.accepted_at.astimezone(UTC).date().replace(day=1),
        duration_ms=max(completion.duration_ms, 0),
    )
