"""POST /v1/jobs/batch: many recordings, a job each."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.adapters.sources import MemorySources
from services.ingest.clients import Client
from services.ingest.fetching import Fetching
from services.ingest.problems import BAD_MULTIPART, Problem
from services.ingest.web.multipart import BatchReader, FileBegan, FileEnded, FilePiece
from services.ingest.web.ports import UploadLimits
from tests.unit.ingest.rig import Rig, wav

TYPE = "multipart/form-data; boundary=BOUND"
END = b"--BOUND--\r\n"
A, B, C = (wav(bytes([number, 0]) * 16_000) for number in range(3))


def part(name: str, value: bytes | str, file_name: str | None = None) -> bytes:
    named = "" if file_name is None else f'; filename="{file_name}"'
    data = value.encode() if isinstance(value, str) else value
    return f'--BOUND\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + data + b"\r\n"


def send(rig: Rig, *parts: bytes, key: str | None = None, end: bytes = END) -> httpx.Response:
    headers = {"Content-Type": TYPE} | ({"Idempotency-Key": key} if key else {})
    return rig.http().post("/v1/jobs/batch", content=b"".join(parts) + end, headers=headers)  # type: ignore[return-value]


def codes(answer: httpx.Response) -> list[str]:
    """`job`, or the problem's code, of each item."""
    found: list[dict[str, Any]] = answer.json()["items"]
    assert [item["index"] for item in found] == list(range(len(found)))
    return ["job" if item["job"] else str(item["problem"]["code"]) for item in found]


def test_each_file_is_a_job_with_the_fields_of_all_and_its_own() -> None:
    rig = Rig()
    answer = send(
        rig,
        part("channels", "operator,customer"),
        part("call_id", "c-0"),
        part("file", A, "a.wav"),
        part("call_id", "c-1"),
        part("channels", "customer,operator"),
        part("file", B, "b.wav"),
        part("file", C, "ц.wav"),
    )
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["refused"], answer.json()["stopped"]) == (3, 0, None)
    assert [item["file_name"] for item in answer.json()["items"]] == ["a.wav", "b.wav", "ц.wav"]
    jobs = [item["job"]["job_id"] for item in answer.json()["items"]]
    kept = [rig.submissions.submissions[job][0] for job in jobs]
    assert [one.call_id for one in kept] == ["c-0", "c-1", jobs[2]]
    assert [one.channel_roles[0] for one in kept] == ["operator", "customer", "operator"]
    assert [rig.store.objects[one.audio.key] for one in kept] == [A, B, C]


def test_one_that_is_refused_holds_up_no_other_and_leaves_nothing() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=200_000))
    answer = send(
        rig,
        part("file", A, "a.wav"),
        part("file", b"%PDF-1.7 and so on", "b.pdf"),
        part("file", b"", "empty.wav"),
        part("file", A + bytes(300_000), "large.wav"),
        part("direction", "sideways"),
        part("file", B, "b.wav"),
        part("file", C, "c.wav"),
    )
    assert codes(answer) == ["job", "unsupported_media", "empty_file", "too_large", "invalid_field", "job"]
    assert answer.json()["items"][4]["problem"]["field"] == "direction"
    assert len(rig.submissions.submissions) == 2
    assert len(rig.store.objects) == 4


def test_the_same_request_again_gives_the_same_jobs_and_takes_what_was_refused() -> None:
    rig = Rig()
    first = send(rig, part("file", A, "a"), part("file", b"nothing", "b"), part("file", C, "c"), key="k")
    assert codes(first) == ["job", "unsupported_media", "job"]
    again = send(rig, part("file", A, "a"), part("file", B, "b"), part("file", C, "c"), key="k")
    assert codes(again) == ["job", "job", "job"]
    assert len(rig.submissions.submissions) == 3
    for index in (0, 2):
        assert first.json()["items"][index]["job"] == again.json()["items"][index]["job"]


def test_the_same_files_in_another_order_are_another_request() -> None:
    rig = Rig()
    send(rig, part("file", A, "a"), part("file", B, "b"), key="k")
    assert codes(send(rig, part("file", B, "b"), part("file", A, "a"), key="k")) == ["idempotency_mismatch"] * 2


def test_a_form_that_breaks_off_says_so_and_what_was_accepted_stays() -> None:
    rig = Rig()
    answer = send(rig, part("file", A, "a.wav"), part("file", B, "b.wav")[:-100], end=b"")
    assert (answer.status_code, answer.json()["stopped"]["code"]) == (200, "bad_multipart")
    assert codes(answer) == ["job"]
    assert len(rig.store.objects) == 2


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ((part("file", A)[:-50],), 400, "bad_multipart"),
        ((b"no form at all",), 400, "bad_multipart"),
        ((part("call_id", "c-1"),), 400, "bad_multipart"),
        ((), 422, "invalid_field"),
    ],
)
def test_a_request_without_one_whole_recording_is_refused(parts: tuple[bytes, ...], status: int, code: str) -> None:
    rig = Rig()
    answer = send(rig, *parts)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert rig.store.objects == {}


def test_more_files_and_more_bytes_than_are_taken_stop_the_request() -> None:
    few = Rig(limits=UploadLimits(max_batch_files=2))
    answer = send(few, *(part("file", A, "a") for _ in range(3)))
    assert (codes(answer), answer.json()["stopped"]["code"]) == (["job", "job"], "bad_multipart")
    small = Rig(limits=UploadLimits(max_batch_bytes=100_000, max_batch_files=1000))
    large = [part("file", A, "a") for _ in range(300)]
    answer = send(small, *large)
    assert (answer.status_code, answer.json()["code"], answer.json()["limit_bytes"]) == (413, "too_large", 100_000)


def test_neither_a_form_nor_json_is_refused() -> None:
    answer = Rig().http().post("/v1/jobs/batch", content=A, headers={"Content-Type": "audio/wav"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_multipart")


def by_reference() -> Rig:
    rig = Rig()
    rig.clients.create(Client(client_id="namer", name="Namer", sources=("s3://acme-calls/",)))
    rig.key = rig.add_client(Client(client_id="namer", name="Namer"))
    objects = {("acme-calls", name): data for name, data in (("a.wav", A), ("b.wav", B))}
    rig.options["fetching"] = Fetching(MemorySources(objects))
    return rig


def test_a_list_of_references_is_a_job_each_too() -> None:
    rig = by_reference()
    wanted = [
        {"audio_url": "s3://acme-calls/a.wav", "call_id": "c-0"},
        {"audio_url": "s3://acme-calls/none.wav"},
        {"audio_url": "s3://rival-calls/a.wav"},
        {"call_id": "c-1"},
        "s3://acme-calls/a.wav",
        {"audio_url": "s3://acme-calls/b.wav", "channels": ["customer", "operator"]},
    ]
    answer = rig.http().post("/v1/jobs/batch", json={"jobs": wanted}, headers={"Idempotency-Key": "k"})
    expected = ["job", "source_failed", "url_not_allowed", "invalid_field", "invalid_field", "job"]
    assert (answer.status_code, codes(answer)) == (200, expected)  # type: ignore[arg-type]
    again = rig.http().post("/v1/jobs/batch", json={"jobs": wanted}, headers={"Idempotency-Key": "k"})
    assert [item["job"] for item in again.json()["items"]] == [item["job"] for item in answer.json()["items"]]
    assert len(rig.submissions.submissions) == 2


@pytest.mark.parametrize("document", [[], {}, {"jobs": []}, {"jobs": {}}, {"jobs": [{}] * 101}, {"jobs": [{}], "x": 1}])
def test_a_document_without_a_list_of_references_is_refused(document: object) -> None:
    answer = by_reference().http().post("/v1/jobs/batch", json=document)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_field", "jobs")


@given(st.lists(st.integers(1, 60), max_size=60))
def test_however_it_is_cut_a_batch_is_the_same(sizes: list[int]) -> None:
    form = b"".join(
        [part("queue", "q"), part("file", b"one\r\n--BOUN", "1"), part("call_id", "c"), part("file", b"", "2"), END]
    )
    found: list[FilePiece] = []
    reader, rest = BatchReader(TYPE, 5), form
    for size in [*sizes, len(form)]:
        found += reader.feed(rest[:size])
        rest = rest[size:]
    reader.finish()
    begun = [piece for piece in found if isinstance(piece, FileBegan)]
    assert [(piece.fields, piece.file_name) for piece in begun] == [
        ({"queue": "q"}, "1"),
        ({"queue": "q", "call_id": "c"}, "2"),
    ]
    assert b"".join(piece for piece in found if isinstance(piece, bytes)) == b"one\r\n--BOUN"
    assert sum(isinstance(piece, FileEnded) for piece in found) == 2


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_a_batch_or_a_refusal(data: bytes) -> None:
    kind, reader = BAD_MULTIPART, BatchReader(TYPE, 5)
    try:
        list(reader.feed(part("file", b"x") + data))
        reader.finish()
    except Problem as problem:
        kind = problem.kind
    assert kind == BAD_MULTIPART
