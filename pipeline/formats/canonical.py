"""JSON: the canonical transcript again, under the name of an artefact. Called through `FORMATS`."""

from __future__ import annotations

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript


def render(transcript: Transcript, _info: CallInfo | None, _locale: str) -> bytes:
    """UTF-8 JSON, schema `razgovor.transcript/1`; without the people that call.json names."""
    return transcript.to_bytes()
