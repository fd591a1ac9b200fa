"""What a client beyond its rate or its quota is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.ingest.clients import Quota
from tests.unit.ingest.rig import Rig, wav


def rig_of(**settings: Any) -> Rig:
    rig = Rig()
    rig.clients.change("acme", lambda client: replace(client, **settings))
    return rig


def limit_of(headers: Mapping[str, str]) -> tuple[str, str]:
    return headers["ratelimit-policy"], headers["ratelimit"]


def test_every_answer_says_what_is_left_of_the_rate() -> None:
    http = rig_of(requests_per_minute=3).http()
    answers = [
        http.post("/v1/jobs", content=wav()),
        http.get("/v1/jobs/00000000-0000-0000-0000-000000000000"),
        http.get("/v1/jobs"),
    ]
    assert [answer.status_code for answer in answers] == [202, 404, 200]
    policy = '"requests";q=3;w=60'
    assert [limit_of(answer.headers) for answer in answers] == [
        (policy, '"requests";r=2;t=20'),
        (policy, '"requests";r=1;t=40'),
        (policy, '"requests";r=0;t=60'),
    ]


def test_beyond_the_rate_nothing_is_taken_and_the_answer_says_when_to_come_again() -> None:
    rig = rig_of(requests_per_minute=2)
    http = rig.http()
    for _ in range(2):
        http.get("/v1/jobs")
    answer = http.post("/v1/jobs", content=wav())
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["limit"], problem["window_s"]) == (429, "rate_limited", 2, 60)
    assert (answer.headers["retry-after"], limit_of(answer.headers)[1]) == ("30", '"requests";r=0;t=60')
    assert rig.store.objects == {}
    rig.now_s += 30.0
    assert http.post("/v1/jobs", content=wav()).status_code == 202


def test_without_a_rate_nothing_is_said_of_one() -> None:
    answer = Rig().http().get("/v1/jobs")
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_a_key_that_opens_nothing_uses_nothing_up() -> None:
    rig = rig_of(requests_per_minute=1)
    for _ in range(3):
        assert rig.http(None).get("/v1/jobs").status_code == 401
    assert rig.http().get("/v1/jobs").status_code == 200


def test_beyond_the_quota_nothing_is_kept_and_the_answer_says_what_is_used() -> None:
    rig = rig_of(quota=Quota(daily_minutes=1))
    rig.submissions.billed.append(("acme", datetime(2026, 1, 1, 12, tzinfo=UTC), 59_000))
    http = rig.http()
    assert http.post("/v1/jobs", content=wav()).status_code == 202
    kept = dict(rig.store.objects)
    answer = http.post("/v1/jobs", content=wav(), headers={"Idempotency-Key": "k"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "quota_exceeded")
    assert (problem["period"], problem["limit_minutes"], problem["used_minutes"], problem["wanted_minutes"]) == (
        "day",
        1,
        1.0,
        0.02,
    )
    assert rig.store.objects == kept
    rig.submissions.billed.clear()
    assert http.post("/v1/jobs", content=wav(), headers={"Idempotency-Key": "k"}).status_code == 202


def test_a_repeated_request_gets_its_job_though_the_quota_is_spent() -> None:
    rig = rig_of(quota=Quota(daily_minutes=1))
    http = rig.http()
    first = http.post("/v1/jobs", content=wav(), headers={"Idempotency-Key": "k"})
    rig.submissions.billed.append(("acme", datetime(2026, 1, 1, 12, tzinfo=UTC), 60_000))
    again = http.post("/v1/jobs", content=wav(), headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
