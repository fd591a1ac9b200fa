"""Where a job's objects lie in the store. Keys are immutable: what is derived carries the hash it was derived from.

jobs/{job}/audio                                      the recording, as it came
jobs/{job}/call.json                                  who and when (names people: never in events)
jobs/{job}/{run}/{transcript_sha256}/transcript.json  the canonical transcript
jobs/{job}/{run}/{transcript_sha256}/call.{format}    the artefacts made from it
"""

from __future__ import annotations

TRANSCRIPT_NAME = "transcript.json"


def job_prefix(job_id: str) -> str:
    """Everything of a job lies under this prefix."""
    return f"jobs/{job_id}/"


def audio_key(job_id: str) -> str:
    """The recording, as it came."""
    return f"jobs/{job_id}/audio"


def call_info_key(job_id: str) -> str:
    """What names people about the call."""
    return f"jobs/{job_id}/call.json"


def run_prefix(job_id: str, run: int) -> str:
    """Everything that one run made."""
    return f"jobs/{job_id}/{run}/"


def transcript_key(job_id: str, run: int, transcript_sha256: str) -> str:
    """The canonical transcript with this hash."""
    return f"{run_prefix(job_id, run)}{transcript_sha256}/{TRANSCRIPT_NAME}"


def artefact_key(job_id: str, run: int, transcript_sha256: str, artefact_format: str) -> str:
    """The artefact of this format made from that transcript."""
    return f"{run_prefix(job_id, run)}{transcript_sha256}/call.{artefact_format}"
