"""POST /v1/jobs of recordings without a header: the caller says what they hold, and the bytes stay as they came."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.audio import Probe
from tests.unit.ingest.rig import Rig, wav

SAMPLES = bytes(range(256)) * 1000
DECLARED = {"codec": "alaw", "sample_rate_hz": "8000", "channel_count": "2"}
BOUNDARY = "multipart/form-data; boundary=B"


def never(_path: Path) -> Probe:
    raise AssertionError("there is no header to look at")


def form(*parts: tuple[str, bytes]) -> dict[str, Any]:
    """A form with its parts in this order."""
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (name.encode(), b'; filename="a"' if name == "file" else b"", value)
        for name, value in parts
    )
    return {"content": body + b"--B--\r\n", "headers": {"Content-Type": BOUNDARY}}


def declared_form(data: bytes, **fields: str) -> dict[str, Any]:
    return form(*((name, text.encode()) for name, text in {**DECLARED, **fields}.items()), ("file", data))


@pytest.mark.parametrize(
    "request_parts",
    [declared_form(SAMPLES), {"params": DECLARED, "content": SAMPLES}, {"data": DECLARED, "files": {"file": SAMPLES}}],
    ids=["form", "raw body", "form of httpx"],
)
def test_the_event_says_what_the_bytes_hold(request_parts: dict[str, Any]) -> None:
    rig = Rig(probe=never)
    answer = rig.http().post("/v1/jobs", **request_parts)
    assert answer.status_code == 202
    job_id = rig.only_job()
    assert rig.store.objects[f"jobs/{job_id}/audio"] == SAMPLES
    audio = rig.submissions.outbox[1].announcement.event.audio
    assert audio.sha256 == hashlib.sha256(SAMPLES).hexdigest()
    assert (audio.media_type, audio.declared_duration_ms) == ("audio/pcma;rate=8000;channels=2", 16_000)
    stored = rig.submissions.submissions[job_id][0].audio
    assert (stored.sample_rate_hz, stored.channels) == (8000, 2)


def test_the_recording_is_given_back_as_it_came_with_what_it_is() -> None:
    rig = Rig(probe=never)
    rig.http().post("/v1/jobs", params={**DECLARED, "codec": "ulaw"}, content=SAMPLES)
    answer = rig.http().get(f"/v1/jobs/{rig.only_job()}/audio")
    assert answer.content == SAMPLES
    assert answer.headers["content-type"] == "audio/pcmu;rate=8000;channels=2"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"codec": "opus"}, "codec"),
        ({"codec": ""}, "codec"),
        ({"sample_rate_hz": ""}, "sample_rate_hz"),
        ({"sample_rate_hz": "0"}, "sample_rate_hz"),
        ({"sample_rate_hz": "-8000"}, "sample_rate_hz"),
        ({"sample_rate_hz": "8 kHz"}, "sample_rate_hz"),
        ({"sample_rate_hz": "9" * 5000}, "sample_rate_hz"),
        ({"sample_rate_hz": "nan"}, "sample_rate_hz"),
        ({"channel_count": ""}, "channel_count"),
        ({"channel_count": "0"}, "channel_count"),
        ({"channel_count": "255"}, "channel_count"),
        ({"channel_count": "1.5"}, "channel_count"),
    ],
)
def test_what_cannot_be_declared_is_refused_by_name(change: dict[str, str], field: str) -> None:
    for parts in (declared_form(SAMPLES, **change), {"params": {**DECLARED, **change}, "content": SAMPLES}):
        rig = Rig(probe=never)
        answer = rig.http().post("/v1/jobs", **parts)
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_field", field)
        assert rig.store.objects == {}


@pytest.mark.parametrize("size_bytes", [1000, 600_000])
def test_a_declaration_behind_the_file_is_refused_whatever_its_size(size_bytes: int) -> None:
    rig = Rig(probe=never)
    declaration = [(name, text.encode()) for name, text in DECLARED.items()]
    # Bytes that pass for MP3 at first sight, so that it is not the bytes that are refused.
    data = (b"\xff\xfb\x90\x00" + bytes(413)) * 2 + bytes(size_bytes)
    answer = rig.http().post("/v1/jobs", **form(("file", data), *declaration))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_field", "codec")
    assert rig.store.objects == {}


@pytest.mark.parametrize(
    ("data", "status", "code", "field"),
    [
        (wav(), 422, "invalid_field", "codec"),
        (b"OggS" + bytes(5000), 422, "invalid_field", "codec"),
        (b"PK\x03\x04" + bytes(500), 415, "unsupported_media", "file"),
        (b"#EXTM3U\nhttp://169.254.169.254/\n", 415, "unsupported_media", "file"),
        (b"just a line of text\n", 415, "unsupported_media", "file"),
        (b"", 400, "empty_file", "file"),
    ],
)
def test_what_says_itself_what_it_is_is_not_taken_for_samples(data: bytes, status: int, code: str, field: str) -> None:
    rig = Rig(probe=never)
    answer = rig.http().post("/v1/jobs", **declared_form(data))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (status, code, field)
    assert rig.store.objects == {}


def test_without_a_declaration_samples_are_no_recording_and_the_answer_says_what_helps() -> None:
    answer = Rig().http().post("/v1/jobs", content=SAMPLES)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")
    assert "codec" in answer.json()["detail"]


def test_the_same_key_with_another_declaration_is_another_request() -> None:
    rig = Rig(probe=never)
    key = {"Idempotency-Key": "once"}
    first = rig.http().post("/v1/jobs", params=DECLARED, content=SAMPLES, headers=key)
    again = rig.http().post("/v1/jobs", params=DECLARED, content=SAMPLES, headers=key)
    other = rig.http().post("/v1/jobs", params={**DECLARED, "codec": "ulaw"}, content=SAMPLES, headers=key)
    assert first.json()["job_id"] == again.json()["job_id"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
