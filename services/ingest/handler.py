"""Decides what a request means: fields and the client's defaults become a submission, a submission its event.

Pure: no clock, no random, no I/O. Called by `web.submit` and by the repositories, inside their transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pipeline.contracts import ids, layout
from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.events import AudioObject, AudioUploaded
from services.ingest.clients import AUTO, Client
from services.ingest.fields import CallFields
from services.ingest.submissions import StoredAudio, Submission
from services.ingest.texts import stored_file_name

FIRST_RUN = 1


def resolve(
    job_id: str,
    client: Client,
    fields: CallFields,
    audio: StoredAudio,
    *,
    file_name: str | None,
    languages: Collection[str],
    run: int = FIRST_RUN,
) -> Submission:
    """A submission: what the caller said, else the client's defaults, else nothing; never a guess.

    Args:
        job_id: The job.
        client: Whose it is.
        fields: What the caller said.
        audio: The recording as it lies in the store.
        file_name: What it was called.
        languages: That this installation transcribes.
        run: The job's first.
    """
    language, among = _language(fields.language or client.language, client, languages)
    return Submission(
        job_id=job_id,
        run=run,
        client_id=client.client_id,
        call_id=fields.call_id or job_id,
        priority=client.priority(fields.priority),
        audio=audio,
        call_info=CallInfo(
            file_name=stored_file_name(file_name),
            started_at=fields.started_at,
            direction=fields.direction,
            operator=fields.operator,
            customer_number=fields.customer_number,
            queue=fields.queue,
            metadata=fields.metadata,
        ),
        call_info_key=layout.call_info_key(job_id),
        channel_roles=fields.channels if fields.channels is not None else client.channel_roles(fields.direction),
        language=language,
        languages=among,
        glossary_id=client.glossary_id,
        locale=fields.locale or client.locale,
        formats=fields.formats if fields.formats is not None else client.formats,
    )


def _language(wanted: str, client: Client, installed: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The language, and those to choose among by ear: the client's, as far as they are installed, its own first."""
    if wanted != AUTO:
        return wanted, ()
    among = [language for language in client.languages if language in installed] or sorted(installed)
    own = among[0] if client.language == AUTO else client.language
    return own, (own, *(language for language in among if language != own))


def announcement(submission: Submission, accepted_at: datetime) -> AudioUploaded:
    """The event that announces a submission; made again it is the same event."""
    audio = submission.audio
    return AudioUploaded(
        event_id=ids.event_id(submission.job_id, submission.run, AudioUploaded.TOPIC),
        job_id=submission.job_id,
        run=submission.run,
        client_id=submission.client_id,
        call_id=submission.call_id,
        accepted_at=accepted_at,
        priority=submission.priority,
        audio=AudioObject(
            key=audio.key,
            sha256=audio.sha256,
            size_bytes=audio.size_bytes,
            media_type=audio.media_type,
            declared_duration_ms=audio.declared_duration_ms,
        ),
        call_info_key=submission.call_info_key,
        channel_roles=submission.channel_roles,
        language=submission.language,
        languages=submission.languages,
        glossary_id=submission.glossary_id,
        locale=submission.locale,
        formats=submission.formats,
    )
