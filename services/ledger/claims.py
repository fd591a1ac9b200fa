"""What an event claims of its job. Read by `handler` for the record and by `board` for the view."""

from __future__ import annotations

from pipeline.contracts import states
from pipeline.contracts.events import AudioUploaded, Event, JobStatus, TranscriptReady


def claim_of(event: Event) -> str | None:
    """The state as the event says it, which a newer release may have made; None: an event of a kind unknown to this one."""
    if isinstance(event, AudioUploaded):
        return states.QUEUED
    if isinstance(event, TranscriptReady):
        return states.TRANSCRIBED
    if isinstance(event, JobStatus):
        return event.state
    return None
