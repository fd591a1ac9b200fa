from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.audio import Headerless
from razgovor.client import IngestClient, Refused
from razgovor.transcription.recordings import Recording
from razgovor.transcription.session import Session, Wanted
from razgovor.transcription.summary import Row

Answer = Callable[[httpx.Request], httpx.Response]


def job(state: str, **fields: Any) -> dict[str, Any]:
    return {"job_id": "job-1", "state": state, "accepted_at": "2026-11-23T09:30:00Z", **fields}


def client(answer: Answer) -> IngestClient:
    return IngestClient(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://ingest"))


def run(answer: Answer, tmp_path: Path) -> tuple[list[Row], list[str]]:
    recording = tmp_path / "a.wav"
    recording.write_bytes(b"sound")
    seen: list[str] = []
    session = Session(client(answer), tmp_path, Wanted(formats=("txt",)), lambda _recording, state: seen.append(state))
    with session.client:
        return list(session.run([(Recording(recording, "a.wav", "a"), "0" * 64)])), seen


def test_a_recording_is_uploaded_followed_and_its_artefacts_fetched(tmp_path: Path) -> None:
    states = iter([job("queued"), job("transcribing"), job("completed", result={"duration_ms": 74_010, "words": 3})])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json=job("queued"))
        if request.url.path.endswith("/transcript"):
            return httpx.Response(200, content=f"as {request.url.params['format']}".encode())
        return httpx.Response(200, json=next(states))

    (row,), seen = run(answer, tmp_path)
    assert seen == ["queued", "transcribing", "completed"]
    assert (row.state, row.duration_s, row.words) == ("completed", 74.01, 3)
    assert row.artefacts == {"txt": "a.txt", "json": "a.json"}
    assert (tmp_path / "a.txt").read_text() == "as txt"


def test_a_failed_job_has_its_reason_in_words(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        reason = {"code": "too_long", "text": "Слишком длинная.", "details": {"limit_s": "14400"}}
        failed = job("failed", reason=reason)
        return httpx.Response(202 if request.method == "POST" else 200, json=failed)

    (row,), _seen = run(answer, tmp_path)
    assert (row.state, row.reason) == ("failed", "too_long")
    assert (row.reason_text, row.details) == ("Слишком длинная.", {"limit_s": "14400"})
    assert row.artefacts == {}


def test_a_file_that_ingest_refuses_is_a_row_too(tmp_path: Path) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        problem = {"code": "unsupported_media", "detail": "text/plain"}
        return httpx.Response(415, json=problem, headers={"content-type": "application/problem+json"})

    (row,), seen = run(answer, tmp_path)
    assert (row.state, row.reason) == ("refused", "unsupported_media")
    assert seen == ["refused"]


def test_an_answer_that_is_no_problem_document_is_still_a_refusal() -> None:
    with client(lambda _request: httpx.Response(502)) as broken, pytest.raises(Refused, match="http_502"):
        broken.job("job-1")


def test_only_recordings_without_a_header_are_declared(tmp_path: Path) -> None:
    wanted = Wanted(headerless=Headerless("ulaw", 8000, 2))
    samples, wave = tmp_path / "a.ulaw", tmp_path / "b.wav"
    samples.write_bytes(bytes(range(256)) * 20)
    wave.write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(100))

    declaration = {"codec": "ulaw", "sample_rate_hz": "8000", "channel_count": "2"}
    assert declaration.items() <= wanted.fields(samples).items()
    assert not declaration.keys() & wanted.fields(wave).keys()


def test_another_declaration_is_another_result() -> None:
    keys = {
        Wanted(headerless=declared).key("0" * 64)
        for declared in (None, Headerless("alaw", 8000, 1), Headerless("alaw", 8000, 2))
    }
    assert len(keys) == 3
