"""GET: lists, jobs, transcripts, recordings, health, documentation."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.errors import Transient
from services.ingest.clients import Client
from services.ingest.jobs import Outcome, StoredObject
from services.ingest.problems import KINDS
from tests.unit.ingest.rig import Rig, wav

FINISHED_AT = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)


def completed(rig: Rig, job_id: str) -> Outcome:
    """A finished job with a transcript and a VTT in the store."""
    prefix = f"jobs/{job_id}/1/{'ab' * 32}/"
    rig.store.objects |= {f"{prefix}transcript.json": b'{"turns": []}', f"{prefix}call.vtt": b"WEBVTT\n"}
    return Outcome(
        run=1,
        state="completed",
        channel_mode="stereo",
        channels=2,
        duration_ms=60_000,
        speech_ms=40_000,
        words=100,
        turns=12,
        confidence=0.9,
        partial=False,
        warnings=("silent_channel",),
        model="base",
        model_sha256="cd",
        engine="faster-whisper",
        finished_at=FINISHED_AT,
        queue_wait_ms=5,
        total_ms=900,
        transcript=StoredObject(key=f"{prefix}transcript.json", sha256="ab" * 32, size_bytes=13),
        artefacts={"vtt": StoredObject(key=f"{prefix}call.vtt", sha256="ef", size_bytes=7)},
    )


def submitted(rig: Rig, **params: str) -> str:
    answer = rig.http().post("/v1/jobs", params=params, content=wav())
    return str(answer.json()["job_id"])


def test_a_job_that_the_ledger_has_not_seen_is_queued() -> None:
    rig = Rig()
    shown = rig.http().get(f"/v1/jobs/{submitted(rig)}").json()
    assert (shown["state"], shown["reason"], shown["result"], shown["timings"]) == ("queued", None, None, None)
    assert shown["audio"]["declared_duration_ms"] == 1000


def test_a_completed_job_shows_its_result_and_leads_to_its_transcripts() -> None:
    rig = Rig()
    job_id = submitted(rig)
    rig.submissions.outcomes[job_id] = completed(rig, job_id)
    shown = rig.http().get(f"/v1/jobs/{job_id}").json()
    assert (shown["state"], shown["result"]["words"], shown["result"]["warnings"]) == (
        "completed",
        100,
        ["silent_channel"],
    )
    assert shown["timings"]["total_ms"] == 900
    assert shown["links"] == {
        "self": f"/v1/jobs/{job_id}",
        "events": f"/v1/jobs/{job_id}/events",
        "audio": f"/v1/jobs/{job_id}/audio",
        "transcript_json": f"/v1/jobs/{job_id}/transcript?format=json",
        "transcript_vtt": f"/v1/jobs/{job_id}/transcript?format=vtt",
    }
    assert all(rig.http().get(link).status_code == 200 for link in shown["links"].values())


def test_a_failed_job_names_its_reason_in_the_jobs_locale() -> None:
    rig = Rig()
    for locale, words in (("ru", "Запись слишком длинная: больше 60 с"), ("en", "The recording is too long")):
        job_id = submitted(rig, locale=locale)
        rig.submissions.outcomes[job_id] = Outcome(run=1, state="failed", reason="too_long", details={"limit_s": "60"})
        reason = rig.http().get(f"/v1/jobs/{job_id}").json()["reason"]
        assert (reason["code"], reason["text"].startswith(words)) == ("too_long", True)
        answer = rig.http().get(f"/v1/jobs/{job_id}/transcript")
        assert (answer.status_code, answer.json()["code"]) == (409, "job_failed")
        assert (answer.json()["reason"], answer.json()["detail"]) == ("too_long", reason["text"])


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("queued", 409, "not_finished"),
        ("transcribing", 409, "not_finished"),
        ("transcribed", 409, "not_finished"),
        ("canceled", 409, "job_canceled"),
        ("erased", 410, "gone"),
    ],
)
def test_a_transcript_that_is_not_there_is_refused_by_state(state: str, status: int, code: str) -> None:
    rig = Rig()
    job_id = submitted(rig)
    rig.submissions.outcomes[job_id] = Outcome(run=1, state=state)
    answer = rig.http().get(f"/v1/jobs/{job_id}/transcript")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_transcript_is_a_safe_attachment_of_its_type() -> None:
    rig = Rig()
    job_id = submitted(rig, call_id="c:1")
    rig.submissions.outcomes[job_id] = completed(rig, job_id)
    http = rig.http()
    vtt = http.get(f"/v1/jobs/{job_id}/transcript", params={"format": "vtt"})
    assert (vtt.status_code, vtt.content, vtt.headers["content-length"]) == (200, b"WEBVTT\n", "7")
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert vtt.headers["content-disposition"] == "attachment; filename*=utf-8''c_1.vtt"
    assert vtt.headers["x-content-type-options"] == "nosniff"
    assert vtt.headers["cache-control"] == "no-store"
    plain = http.get(f"/v1/jobs/{job_id}/transcript")
    assert (plain.json(), plain.headers["content-type"]) == ({"turns": []}, "application/json")


def test_a_format_that_was_not_made_is_named_and_an_unknown_one_refused() -> None:
    rig = Rig()
    job_id = submitted(rig)
    rig.submissions.outcomes[job_id] = completed(rig, job_id)
    http = rig.http()
    not_made = http.get(f"/v1/jobs/{job_id}/transcript", params={"format": "xlsx"})
    assert (not_made.status_code, not_made.json()["code"]) == (404, "format_not_made")
    unknown = http.get(f"/v1/jobs/{job_id}/transcript", params={"format": "pdf"})
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["field"]) == (422, "invalid_field", "format")


def test_an_object_that_is_no_longer_kept_is_gone() -> None:
    rig = Rig()
    job_id = submitted(rig)
    rig.store.objects.clear()
    answer = rig.http().get(f"/v1/jobs/{job_id}/audio")
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")


def test_pages_go_through_all_jobs_newest_first_while_new_ones_arrive() -> None:
    rig = Rig()
    jobs = [submitted(rig) for _ in range(7)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = rig.http().get("/v1/jobs", params={"limit": 3, **cursor}).json()
        seen += [job["job_id"] for job in page["jobs"]]
        submitted(rig)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == jobs[::-1]


def test_jobs_can_be_asked_for_by_state() -> None:
    rig = Rig()
    first, second = submitted(rig), submitted(rig)
    rig.submissions.outcomes[first] = Outcome(run=1, state="failed", reason="no_audio")
    for state, expected in (("failed", [first]), ("queued", [second]), ("completed", [])):
        page = rig.http().get("/v1/jobs", params={"state": state}).json()
        assert [job["job_id"] for job in page["jobs"]] == expected


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", f"limit={'9' * 5000}", "state=done", "cursor=ff", f"cursor={'A' * 201}"],
)
def test_a_bad_query_is_refused_with_its_field(query: str) -> None:
    answer = Rig().http().get(f"/v1/jobs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert answer.json()["field"] == query.partition("=")[0]


@pytest.mark.parametrize("job_id", ["x", "%00", "..%2f..", "A" * 3000, "00000000-0000-0000-0000-00000000000G"])
def test_what_is_no_job_id_is_no_job(job_id: str) -> None:
    assert Rig().http().get(f"/v1/jobs/{job_id}").status_code == 404


def test_unknown_addresses_and_methods_are_problems_too() -> None:
    http = Rig().http()
    for answer, status, code in (
        (http.get("/nowhere"), 404, "not_found"),
        (http.get("/v1/jobs/"), 404, "not_found"),
        (http.delete("/v1/jobs"), 405, "method_not_allowed"),
        (http.get("/docs/assets/..%2f__init__.py"), 404, "not_found"),
        (http.get("/docs/assets/index.html"), 404, "not_found"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_request_id_is_taken_over_when_it_is_harmless() -> None:
    http = Rig().http()
    assert http.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert http.get("/healthz", headers={"X-Request-ID": "a b"}).headers["x-request-id"] != "a b"


def test_an_unforeseen_error_tells_nobody_what_it_was(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def fetch(self, client_id: str, job_id: str) -> None:
            raise RuntimeError(f"Анна of {client_id} and {job_id}")

        def page(self, **_: Any) -> None:
            raise NotImplementedError

    rig = Rig()
    rig.options["jobs"] = Broken()
    answer = rig.http().get("/v1/jobs/00000000-0000-0000-0000-000000000001")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Анна" not in answer.text + caplog.text + "".join(capsys.readouterr())


def test_alive_is_not_ready_and_ready_does_not_need_the_stream() -> None:
    def away() -> None:
        raise Transient("away")

    rig = Rig()
    rig.options = {"checks": {"database": lambda: None, "store": lambda: None}, "stream_healthy": lambda: False}
    ready = rig.http(None).get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "peers": {"database": "ok", "store": "ok", "stream": "unavailable"}},
    )
    rig.options["checks"] = {"database": away, "store": lambda: None}
    unready = rig.http(None).get("/readyz")
    assert (unready.status_code, unready.json()["peers"]["database"]) == (503, "unavailable")
    assert rig.http(None).get("/healthz").json()["status"] == "alive"


def test_the_documentation_loads_nothing_from_outside() -> None:
    http = Rig().http(None)
    page = http.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    assert "://" not in page.text
    assert not re.search(r"<script>|\son\w+=|style=", page.text)
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) == 4
    for asset in assets:
        answer = http.get("/" + asset)
        assert (answer.status_code, len(answer.content) > 50) == (200, True)
    start = http.get("/docs/assets/start.js").text
    assert "://" not in start
    assert "validatorUrl: null" in start


def test_the_description_is_openapi_3_0_with_examples_and_the_key() -> None:
    described = Rig().http(None).get("/openapi.json").json()
    assert described["openapi"].startswith("3.0.")
    text = json.dumps(described)
    assert '"type": "null"' not in text
    assert '"const"' not in text
    assert "HTTPValidationError" not in text
    assert described["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    submit = described["paths"]["/v1/jobs"]["post"]
    form = submit["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert form["call_id"]["example"]
    assert form["file"]["format"] == "binary"
    assert list(submit["responses"]["415"]["content"]) == ["application/problem+json"]
    assert described["components"]["schemas"]["AcceptedDocument"]["example"]
    for path in ("/v1/jobs", "/v1/jobs/{job_id}", "/v1/jobs/{job_id}/transcript", "/v1/jobs/{job_id}/audio"):
        assert described["paths"][path]["get"]["security"] == [{"ApiKey": []}]


def test_every_reference_of_the_description_leads_somewhere() -> None:
    described = Rig().http(None).get("/openapi.json").json()
    for reference in set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described))):
        assert reference in described["components"]["schemas"]


def test_each_answer_that_tells_of_a_job_leads_to_all_that_can_be_asked_of_it() -> None:
    paths = Rig().http(None).get("/openapi.json").json()["paths"]
    wanted = {
        operation["operationId"]
        for path, operations in paths.items()
        if path.startswith("/v1/jobs/{job_id}")
        for operation in operations.values()
    }
    for answer in (
        paths["/v1/jobs"]["post"]["responses"]["202"],
        paths["/v1/jobs/{job_id}"]["get"]["responses"]["200"],
        paths["/v1/jobs/{job_id}/requeue"]["post"]["responses"]["202"],
    ):
        assert {link["operationId"] for link in answer["links"].values()} == wanted
        assert all(link["parameters"] == {"job_id": "$response.body#/job_id"} for link in answer["links"].values())


def test_codes_are_stable_and_not_doubled() -> None:
    assert {code: kind.status for code, kind in KINDS.items()} == {
        "empty_file": 400,
        "bad_multipart": 400,
        "bad_request": 400,
        "client_gone": 400,
        "unauthorized": 401,
        "forbidden": 403,
        "quota_exceeded": 403,
        "not_found": 404,
        "format_not_made": 404,
        "no_waveform": 404,
        "method_not_allowed": 405,
        "upload_timeout": 408,
        "request_timeout": 408,
        "not_finished": 409,
        "job_failed": 409,
        "job_canceled": 409,
        "job_ended": 409,
        "no_webhook": 409,
        "not_requeuable": 409,
        "gone": 410,
        "too_large": 413,
        "range_not_satisfiable": 416,
        "unsupported_media": 415,
        "invalid_field": 422,
        "url_not_allowed": 422,
        "source_failed": 422,
        "source_mismatch": 422,
        "idempotency_mismatch": 422,
        "rate_limited": 429,
        "too_many_streams": 429,
        "report_under_way": 429,
        "internal_error": 500,
        "unavailable": 503,
    }


def test_a_client_sees_its_own_jobs_only() -> None:
    rig = Rig()
    mine = submitted(rig)
    other = rig.add_client(Client(client_id="other", name="Other"))
    rig.http(other).post("/v1/jobs", content=wav())
    assert [job["job_id"] for job in rig.http().get("/v1/jobs").json()["jobs"]] == [mine]


def test_the_list_shows_outcomes_without_artefacts() -> None:
    rig = Rig()
    job_id = submitted(rig)
    rig.submissions.outcomes[job_id] = replace(completed(rig, job_id), turns=3)
    (job,) = rig.http().get("/v1/jobs").json()["jobs"]
    assert (job["state"], job["result"]["turns"]) == ("completed", 3)


@pytest.mark.parametrize("what", ["audio", "transcript"])
def test_what_is_kept_no_longer_is_gone_and_says_since_when(what: str) -> None:
    rig = Rig()
    job_id = rig.http().post("/v1/jobs", content=wav()).json()["job_id"]
    stored = StoredObject(key=f"jobs/{job_id}/1/x/transcript.json", sha256="00", size_bytes=2)
    rig.store.put(stored.key, b"{}", media_type="application/json")
    since = datetime(2026, 11, 26, tzinfo=UTC)
    outcome = Outcome(run=1, state="completed", transcript=stored)
    expired = replace(outcome, **{f"{what}_expired_at": since})  # type: ignore[arg-type]  # one of two names
    rig.submissions.outcomes[job_id] = expired
    answer = rig.http().get(f"/v1/jobs/{job_id}/{what}")
    assert (answer.status_code, answer.json()["code"], answer.json()["expired_at"]) == (410, "gone", since.isoformat())
    if what == "audio":
        assert rig.http().get(f"/v1/jobs/{job_id}/waveform").status_code == 410
    other = "transcript" if what == "audio" else "audio"
    assert rig.http().get(f"/v1/jobs/{job_id}/{other}").status_code == 200
    links = rig.http().get(f"/v1/jobs/{job_id}").json()["links"]
    assert [name for name in links if name.startswith(what)] == []
