"""What a list of jobs can be asked for, and what it refuses."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.unit.ingest.rig import Rig, wav


@pytest.fixture
def http() -> TestClient:
    http = Rig().http()
    calls = (
        {
            "call_id": "pbx-1",
            "direction": "inbound",
            "operator": "Анна К.",
            "metadata": '{"campaign": "Зима 100%", "chain_id": "A1"}',
        },
        {
            "call_id": "pbx-2",
            "direction": "outbound",
            "operator": "Борис",
            "queue": "Support",
            "metadata": '{"chain_id": "A1"}',
        },
        {
            "call_id": "pbx-3",
            "customer_number": "+7 900 123-45-67",
            "file_name": "mix_1.wav",
            "metadata": '{"chain_id": "a1"}',
        },
    )
    for call in calls:
        assert http.post("/v1/jobs", content=wav(), params=call).status_code == 202
    return http


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        ({}, ["pbx-3", "pbx-2", "pbx-1"]),
        ({"direction": "inbound"}, ["pbx-1"]),
        ({"operator": "Борис"}, ["pbx-2"]),
        ({"operator": "борис"}, []),
        ({"call_id": "pbx-3"}, ["pbx-3"]),
        ({"q": "зима 100%"}, ["pbx-1"]),
        ({"q": "анна"}, ["pbx-1"]),
        ({"q": "SUPPORT"}, ["pbx-2"]),
        ({"q": "123-45"}, ["pbx-3"]),
        ({"q": "mix_"}, ["pbx-3"]),
        ({"q": "PBX"}, ["pbx-3", "pbx-2", "pbx-1"]),
        ({"q": "campaign"}, []),
        ({"chain_id": "A1"}, ["pbx-2", "pbx-1"]),
        ({"chain_id": "A1", "direction": "inbound"}, ["pbx-1"]),
        ({"chain_id": "A"}, []),
        ({"q": ""}, ["pbx-3", "pbx-2", "pbx-1"]),
        ({"since": "2026-01-01T00:00:01Z"}, ["pbx-3", "pbx-2"]),
        ({"before": "2026-01-01T03:00:01+03:00"}, ["pbx-1"]),
        ({"since": "2026-01-01T00:00:01Z", "before": "2026-01-01T00:00:02Z"}, ["pbx-2"]),
        ({"state": "queued", "q": "pbx", "direction": "outbound"}, ["pbx-2"]),
        ({"state": "completed"}, []),
    ],
)
def test_a_list_holds_what_is_asked_for(http: TestClient, asked: dict[str, str], calls: list[str]) -> None:
    shown = http.get("/v1/jobs", params=asked).json()
    assert [job["call_id"] for job in shown["jobs"]] == calls


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"state": "done"}, "state"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"since": "0.5"}, "since"),
        ({"before": "1767225600"}, "before"),
        ({"before": "9999-12-31T23:59:59Z"}, "before"),
        ({"before": "1e300"}, "before"),
        ({"direction": "up"}, "direction"),
        ({"q": "x" * 201}, "q"),
        ({"operator": "x" * 201}, "operator"),
        ({"chain_id": "x" * 1025}, "chain_id"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "zzz"}, "cursor"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_name(http: TestClient, asked: dict[str, str], field: str) -> None:
    answer = http.get("/v1/jobs", params=asked)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_field", field)


def test_a_job_says_whether_its_call_has_other_parts(http: TestClient) -> None:
    shown = http.get("/v1/jobs").json()["jobs"]
    assert {job["call_id"]: job["other_parts"] for job in shown} == {"pbx-1": True, "pbx-2": True, "pbx-3": False}


def test_pages_of_a_filtered_list_lead_through_all_of_it(http: TestClient) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = http.get("/v1/jobs", params={"q": "pbx", "limit": "1", **({"cursor": cursor} if cursor else {})}).json()
        seen += [job["call_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert seen == ["pbx-3", "pbx-2", "pbx-1"]


def test_a_text_that_postgresql_cannot_hold_finds_what_is_left_of_it(http: TestClient) -> None:
    assert len(http.get("/v1/jobs", params={"q": "pbx\0-1"}).json()["jobs"]) == 1
