"""POST /v1/jobs over fakes: what is accepted, what is refused, what is left behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.audio import Probe
from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.call_info import CallInfo
from pipeline.errors import Permanent, Transient
from pipeline.isolation import ChildCrashed, ChildTimeout
from services.ingest.clients import Client
from services.ingest.ports import OutcomeUnknown
from services.ingest.scopes import READ
from services.ingest.web.ports import UploadLimits
from tests.unit.ingest.rig import KNOWN, Rig, wav

FORM = "multipart/form-data; boundary=B"


class CountingStore(MemoryStore):
    """Counts what is asked back."""

    fetched = 0

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        self.fetched += 1
        with super().local_path(key) as path:
            yield path


def test_a_form_becomes_a_job_with_its_objects_and_its_announcement() -> None:
    rig = Rig()
    answer = rig.http().post(
        "/v1/jobs",
        files={"file": ("звонок.wav", wav())},
        data={"call_id": "c-1", "operator": "Анна", "started_at": "2026-01-31T14:05:00+03:00", "metadata": '{"a":"b"}'},
    )
    job_id = rig.only_job()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    assert answer.json() == {
        "job_id": job_id,
        "state": "queued",
        "accepted_at": "2026-01-01T00:00:00Z",
        "links": {"self": f"/v1/jobs/{job_id}"},
    }
    assert sorted(rig.store.objects) == [f"jobs/{job_id}/audio", f"jobs/{job_id}/call.json"]
    assert rig.store.objects[f"jobs/{job_id}/audio"] == wav()
    info = CallInfo.from_bytes(rig.store.objects[f"jobs/{job_id}/call.json"])
    assert (info.file_name, info.operator, info.metadata) == ("звонок.wav", "Анна", {"a": "b"})
    event = rig.submissions.outbox[1].announcement.event
    assert event.audio.sha256 == hashlib.sha256(wav()).hexdigest()
    assert (event.audio.size_bytes, event.audio.media_type) == (len(wav()), "audio/wav")
    assert event.audio.declared_duration_ms == 1000
    assert (event.client_id, event.call_id, event.run) == ("acme", "c-1", 1)
    assert rig.wakes == 1


def test_a_raw_body_with_query_fields_is_the_same() -> None:
    rig = Rig()
    answer = rig.http().post("/v1/jobs", params={"call_id": "c-2", "file_name": "a.wav"}, content=wav())
    submission, _ = rig.submissions.submissions[rig.only_job()]
    assert answer.status_code == 202
    assert (submission.call_id, submission.call_info.file_name) == ("c-2", "a.wav")
    assert rig.store.objects[submission.audio.key] == wav()


def test_without_a_call_id_the_jobs_id_stands_for_it() -> None:
    rig = Rig()
    rig.http().post("/v1/jobs", content=wav())
    job_id = rig.only_job()
    assert rig.submissions.submissions[job_id][0].call_id == job_id


def test_a_body_of_unknown_length_is_counted_while_it_streams() -> None:
    rig = Rig()
    pieces = [wav()[start : start + 1000] for start in range(0, len(wav()), 1000)]
    assert rig.http().post("/v1/jobs", content=iter(pieces)).status_code == 202
    too_many = iter([wav()] * 40)
    answer = rig.http().post("/v1/jobs", content=too_many)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert len(rig.store.objects) == 2


def refused(rig: Rig, **request: Any) -> tuple[int, str]:
    """Status and code of an answer that must leave nothing behind."""
    answer = rig.http().post("/v1/jobs", **request)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert rig.store.objects == {}
    assert rig.submissions.submissions == {}
    assert rig.wakes == 0
    return answer.status_code, problem["code"]


@pytest.mark.parametrize(
    ("request_parts", "expected"),
    [
        ({"content": b""}, (400, "empty_file")),
        ({"content": b"", "headers": {"Content-Type": FORM}}, (400, "empty_file")),
        ({"files": {"file": ("a.wav", b"")}}, (400, "empty_file")),
        ({"content": b"hello, this is text"}, (415, "unsupported_media")),
        (
            {"files": {"file": ("a.wav", b"\xff\xd8\xff\xe0JFIF" + bytes(5000), "audio/wav")}},
            (415, "unsupported_media"),
        ),
        ({"files": {"file": ("a.wav", b"PK\x03\x04" + bytes(500))}}, (415, "unsupported_media")),
        ({"files": {"file": ("a.wav", b"#EXTM3U\nhttp://169.254.169.254/\n")}}, (415, "unsupported_media")),
        ({"files": {"file": ("a.wav", b"<!doctype html><script>")}}, (415, "unsupported_media")),
        ({"content": wav(), "headers": {"Content-Encoding": "gzip"}}, (415, "unsupported_media")),
        ({"content": wav(bytes(1_000_001))}, (413, "too_large")),
        ({"files": {"file": ("a.wav", wav(bytes(1_000_001)))}}, (413, "too_large")),
        ({"content": wav(), "headers": {"Content-Length": "99999999999"}}, (413, "too_large")),
        ({"content": wav(), "headers": {"Content-Length": "-1"}}, (400, "bad_request")),
        ({"content": wav(), "headers": {"Content-Length": "many"}}, (400, "bad_request")),
        ({"content": wav(), "headers": {"Content-Length": "9" * 40}}, (400, "bad_request")),
        ({"content": wav(), "headers": {"Content-Length": str(len(wav()) + 1)}}, (400, "bad_request")),
        ({"content": wav(), "headers": {"Content-Length": str(len(wav()) - 1)}}, (400, "bad_request")),
        ({"content": b"x", "headers": {"Content-Type": FORM}}, (400, "bad_multipart")),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, (400, "bad_multipart")),
        ({"content": b"x", "headers": {"Content-Type": FORM + "x" * 10_000}}, (400, "bad_multipart")),
        ({"files": [("file", ("a.wav", wav()))] + [(f"f{n}", ("", b"")) for n in range(1001)]}, (400, "bad_multipart")),
        (
            {"files": {"file": ("a.wav", wav(), "audio/wav", {"X-Long": "x" * 1_000_000})}},
            (400, "bad_multipart"),
        ),
        ({"files": {"other": ("a.wav", wav())}}, (422, "invalid_field")),
        ({"files": {"other": ("a.wav", wav(bytes(70_000)))}}, (400, "bad_multipart")),
        ({"files": {"call_id": (None, "x")}}, (422, "invalid_field")),
        ({"files": {"file": ("a.wav", wav())}, "data": {"started_at": "2026-01-31T14:05:00"}}, (422, "invalid_field")),
        ({"files": {"file": ("a.wav", wav())}, "data": {"language": "xx"}}, (422, "invalid_field")),
        ({"content": wav(), "params": {"model": "large"}}, (422, "invalid_field")),
        ({"content": wav(), "params": [("queue", "a"), ("queue", "b")]}, (422, "invalid_field")),
        ({"content": wav(), "params": {"metadata": '{"a":NaN}'}}, (422, "invalid_field")),
        ({"content": wav(), "headers": {"Idempotency-Key": "a b"}}, (422, "invalid_field")),
        ({"content": wav(), "headers": {"Idempotency-Key": "x" * 256}}, (422, "invalid_field")),
    ],
)
def test_a_bad_request_is_refused_by_code_and_leaves_nothing(
    request_parts: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert refused(Rig(), **request_parts) == expected


@pytest.mark.parametrize(
    ("data", "detected"),
    [
        ("Здравствуйте".encode(), "text/plain"),
        (b"\xff\xd8\xff\xe0" + bytes(99), "image/jpeg"),
        (b"PK\x03\x04" + bytes(500), "application/zip"),
        (b"#EXTM3U\nhttp://169.254.169.254/\n", "application/vnd.apple.mpegurl"),
        (b"<!doctype html><script>", "text/html"),
    ],
)
def test_the_refusal_names_what_was_found(data: bytes, detected: str) -> None:
    problem = Rig().http().post("/v1/jobs", files={"file": ("call.wav", data, "audio/wav")}).json()
    assert (problem["code"], problem["detected"], problem["field"]) == ("unsupported_media", detected, "file")


def test_a_header_only_wav_is_taken_and_left_to_the_transcriber() -> None:
    assert Rig().http().post("/v1/jobs", content=wav(b"")).status_code == 202


NAMES = [
    "../../etc/x",
    "..\\..\\x",
    "nul\0byte.wav",
    "x" * 5000,
    "gnp\u202evaw.exe",
    "CON",
    'a\n2026-01-01 [error] fake="line"\n.wav',
    "<script>.wav",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_strange_file_name_is_data_and_never_a_key_or_a_log_line(
    name: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = Rig()
    http = rig.http()
    assert http.post("/v1/jobs", params={"file_name": name}, content=wav()).status_code == 202
    job_id = rig.only_job()
    assert sorted(rig.store.objects) == [f"jobs/{job_id}/audio", f"jobs/{job_id}/call.json"]
    shown = http.get(f"/v1/jobs/{job_id}").json()["audio"]["file_name"]
    assert shown == name.replace("\0", "")[:255]
    disposition = http.get(f"/v1/jobs/{job_id}/audio").headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=utf-8''")
    assert not set(disposition.partition("''")[2]) & set('\r\n\0/\\;"<> ')
    said = caplog.text + "".join(capsys.readouterr())
    assert name[:12] not in said
    assert "fake" not in said


def test_a_strange_name_in_a_form_is_the_same() -> None:
    rig = Rig()
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="../x\0' + b"y" * 5000 + b'"\r\n\r\n'
    answer = rig.http().post("/v1/jobs", content=head + wav() + b"\r\n--B--\r\n", headers={"Content-Type": FORM})
    assert answer.status_code == 202
    name = rig.submissions.submissions[rig.only_job()][0].call_info.file_name
    assert name == ("../x" + "y" * 5000)[:255]


@pytest.mark.parametrize(("at_hand_max_bytes", "fetched"), [(100_000, 0), (1000, 1)])
def test_a_recording_is_probed_as_it_came_and_asked_back_from_the_store_only_if_it_is_large(
    at_hand_max_bytes: int, fetched: int
) -> None:
    probed: list[bytes] = []

    def probe(path: Path) -> Probe:
        probed.append(path.read_bytes())
        return KNOWN

    rig = Rig(store=CountingStore(), probe=probe)
    rig.store.at_hand_max_bytes = at_hand_max_bytes
    assert rig.http().post("/v1/jobs", content=wav()).status_code == 202
    assert probed == [wav()]
    assert isinstance(rig.store, CountingStore)
    assert rig.store.fetched == fetched


@pytest.mark.parametrize("error", [ChildCrashed(-11), ChildTimeout(1.0)])
def test_a_probe_that_dies_only_means_that_nothing_is_known(error: Exception) -> None:
    def probe(_path: Path) -> Probe:
        raise error

    rig = Rig(probe=probe)
    assert rig.http().post("/v1/jobs", content=wav()).status_code == 202
    audio = rig.submissions.submissions[rig.only_job()][0].audio
    assert (audio.declared_duration_ms, audio.sample_rate_hz, audio.channels) == (None, None, None)


def test_the_same_idempotency_key_gives_the_same_answer_and_keeps_one_recording() -> None:
    rig = Rig()
    request: dict[str, Any] = {"params": {"queue": "a"}, "content": wav(), "headers": {"Idempotency-Key": "k-1"}}
    first, second = (rig.http().post("/v1/jobs", **request) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert sorted(rig.store.objects) == [f"jobs/{rig.only_job()}/audio", f"jobs/{rig.only_job()}/call.json"]


@pytest.mark.parametrize("other", [{"content": wav(b"\1" * 64)}, {"content": wav(), "params": {"queue": "b"}}])
def test_an_idempotency_key_with_another_request_is_refused(other: dict[str, Any]) -> None:
    rig = Rig()
    headers = {"Idempotency-Key": "k-1"}
    rig.http().post("/v1/jobs", content=wav(), headers=headers)
    before = dict(rig.store.objects)
    answer = rig.http().post("/v1/jobs", headers=headers, **other)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert rig.store.objects == before


def test_another_clients_idempotency_key_is_another_key() -> None:
    rig = Rig()
    other = rig.add_client(Client(client_id="other", name="Other"))
    headers = {"Idempotency-Key": "k-1"}
    first = rig.http().post("/v1/jobs", content=wav(), headers=headers)
    second = rig.http(other).post("/v1/jobs", content=wav(b"\1" * 64), headers=headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["job_id"] != second.json()["job_id"]


def test_with_the_database_away_the_client_is_told_when_to_come_again() -> None:
    rig = Rig()
    rig.submissions.fail_submit = Transient("postgres is away", retry_after_s=7.2)
    answer = rig.http().post("/v1/jobs", content=wav())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "8")
    assert answer.json()["code"] == "unavailable"
    assert "postgres" not in answer.text
    assert rig.store.objects == {}


def test_when_nobody_knows_whether_it_committed_the_recording_stays() -> None:
    rig = Rig()
    rig.submissions.fail_submit = OutcomeUnknown("lost in COMMIT")
    assert rig.http().post("/v1/jobs", content=wav()).status_code == 503
    assert len(rig.store.objects) == 2


def test_a_database_that_refuses_is_an_error_of_ours_and_leaves_nothing() -> None:
    rig = Rig()
    rig.submissions.fail_submit = Permanent("submit: DataError 22021")
    answer = rig.http().post("/v1/jobs", content=wav())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "22021" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert rig.store.objects == {}


def test_a_key_that_may_only_read_cannot_submit() -> None:
    rig = Rig()
    key = rig.add_client(Client(client_id="viewer", name="Viewer"), (READ,))
    answer = rig.http(key).post("/v1/jobs", content=wav())
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_large_upload_goes_through_in_pieces() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=4_000_000))
    data = wav(bytes(3_900_000))
    assert rig.http().post("/v1/jobs", files={"file": ("a.wav", data)}).status_code == 202
    assert rig.store.objects[f"jobs/{rig.only_job()}/audio"] == data


def test_what_is_sent_may_be_given_back_as_it_was() -> None:
    rig = Rig()
    http = rig.http()
    fields = {
        "call_id": "c-9",
        "started_at": "2026-01-31T14:05:00+03:00",
        "direction": "outbound",
        "operator": "Анна",
        "customer_number": "+7 900",
        "queue": "q",
        "metadata": json.dumps({"ключ": "знач"}),
        "channels": "customer,operator",
        "locale": "en",
        "formats": "vtt",
        "priority": "bulk",
    }
    http.post("/v1/jobs", files={"file": ("a.wav", wav())}, data=fields)
    shown = http.get(f"/v1/jobs/{rig.only_job()}").json()
    assert shown["call"] == {
        "started_at": "2026-01-31T14:05:00+03:00",
        "direction": "outbound",
        "operator": "Анна",
        "customer_number": "+7 900",
        "queue": "q",
        "metadata": {"ключ": "знач"},
    }
    assert (shown["call_id"], shown["channel_roles"]) == ("c-9", ["customer", "operator"])
    assert (shown["locale"], shown["formats"], shown["priority"]) == ("en", ["vtt"], "bulk")
