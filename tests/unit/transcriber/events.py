"""The event that the transcriber's tests start from."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from pipeline.contracts.events import AudioObject, AudioUploaded

AUDIO = b"the recording"
ACCEPTED_AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def uploaded(audio: bytes = AUDIO) -> AudioUploaded:
    return AudioUploaded(
        event_id="00000000-0000-5000-8000-000000000001",
        job_id="job-1",
        run=1,
        client_id="client-1",
        call_id="call-1",
        accepted_at=ACCEPTED_AT,
        priority="normal",
        audio=AudioObject(
            key="jobs/job-1/audio",
            sha256=hashlib.sha256(audio).hexdigest(),
            size_bytes=len(audio),
            media_type="audio/wav",
        ),
        call_info_key="jobs/job-1/call.json",
        channel_roles=("operator", "customer"),
        language="ru",
        locale="ru",
        formats=("txt", "vtt"),
    )
