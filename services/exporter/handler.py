"""`transcript.ready` in, `job.status` (`completed`) out, or why it failed. Called by `stream.events`, which applies the outcome.

An artefact that lies in the store already is taken as it is: keys are immutable, and another release of the exporter may
lay a page out differently. So an event that comes twice ends in the same `completed`, and a lost announcement heals.

A format of `event.formats` that this release does not know is skipped: ingest refuses unknown formats, so only a newer
ingest can ask for it, and a call with its transcript and the other files is worth more than a failed job. The artefacts
of `completed` tell what there is; `skipped_formats` names the rest. So: release the exporter before ingest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts import layout, states
from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.events import Artefact, Completion, Summary, TranscriptReady, status
from pipeline.contracts.transcript import Quality, Transcript, sha256_hex
from pipeline.errors import CallFault, RetriableFault
from pipeline.formats import FORMATS
from pipeline.outcome import Outcome, PutObject

STAGE: Final = "exporter"


def handle(event: TranscriptReady, store: BlobStore) -> Outcome[PutObject]:
    """Export a transcript.

    Args:
        event: Where the transcript lies, and which formats are wanted.
        store: Where it is read from.

    Returns:
        The artefacts to put that are not there yet, and `completed` with all of them.

    Raises:
        CallFault: `transcript_invalid`: it is not readable, or not this job's.
        RetriableFault: `transcript_missing`, because a store may show late what was put a moment ago;
            `transcript_invalid` where other bytes came than were announced, because they may have suffered on the way.
        Transient: The store does not answer, or there is no room for temporary files.
    """
    transcript = _read_transcript(event, store)
    info = _read_call_info(event, store)
    made = [_artefact(name, transcript, info, event, store) for name in _known_formats(event)]
    completion = Completion(
        **event.model_dump(include=set(Summary.model_fields)),
        transcript=event.transcript,
        artefacts=tuple(artefact for artefact, _effect in made),
        timings=event.timings,
    )
    return Outcome(
        effects=tuple(effect for _artefact, effect in made if effect is not None),
        events=(status(event, states.COMPLETED, STAGE, completion=completion),),
    )


def skipped_formats(event: TranscriptReady) -> tuple[str, ...]:
    """Wanted formats that this release does not make, for whoever logs it."""
    return tuple(name for name in event.formats if name not in FORMATS)


def _known_formats(event: TranscriptReady) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(event.formats) if name in FORMATS)


def _read_transcript(event: TranscriptReady, store: BlobStore) -> Transcript:
    try:
        data = store.read(event.transcript.key)
    except BlobNotFound:
        raise RetriableFault("transcript_missing") from None
    if sha256_hex(data) != event.transcript.sha256:
        raise RetriableFault("transcript_invalid")
    transcript = Transcript.from_bytes(data)
    is_of_job = (transcript.job_id, transcript.run) == (event.job_id, event.run)
    if not is_of_job or not all(map(math.isfinite, _figures(transcript))):
        raise CallFault("transcript_invalid")
    return transcript


def _figures(transcript: Transcript) -> Iterator[float]:
    """Every number of the transcript that an export counts with; JSON as Python reads it may hold NaN or Infinity."""
    yield transcript.duration_s
    yield from (channel.speech_s for channel in transcript.channels)
    for quality in (transcript.quality, *(channel.quality for channel in transcript.channels)):
        yield from (figure for figure in (quality or Quality()).model_dump().values() if isinstance(figure, float))
    for turn in transcript.turns:
        yield from (turn.start_s, turn.end_s, turn.confidence or 0.0)
    for word in transcript.words:
        yield from (word.start_s, word.end_s, word.confidence)
    for warning in transcript.warnings:
        yield from warning.details.values()


def _read_call_info(event: TranscriptReady, store: BlobStore) -> CallInfo | None:
    """Who and when; None if it was never given, is erased, or was written by a release that says it differently."""
    if event.call_info_key is None:
        return None
    try:
        return CallInfo.from_bytes(store.read(event.call_info_key))
    except (BlobNotFound, ValidationError):
        return None


def _artefact(
    name: str, transcript: Transcript, info: CallInfo | None, event: TranscriptReady, store: BlobStore
) -> tuple[Artefact, PutObject | None]:
    """The artefact, and the effect that makes it unless it is there."""
    form = FORMATS[name]
    key = layout.artefact_key(event.job_id, event.run, event.transcript.sha256, form.extension)
    effect: PutObject | None = None
    try:
        data = store.read(key)
    except BlobNotFound:
        data = form.render(transcript, info, event.locale)
        effect = PutObject(key, data, form.media_type)
    return Artefact(format=name, key=key, sha256=sha256_hex(data), size_bytes=len(data)), effect
