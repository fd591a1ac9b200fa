from __future__ import annotations

import json
from typing import Any

from pipeline.stream.kafka.lag import LagGauge, lag_by_topic
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics

UNKNOWN = -1001


def log(**said: Any) -> dict[str, Any]:
    nothing = {
        "fetch_state": "active",
        "hi_offset": UNKNOWN,
        "ls_offset": UNKNOWN,
        "lo_offset": UNKNOWN,
        "app_offset": UNKNOWN,
        "committed_offset": UNKNOWN,
    }
    return {**nothing, **said}


def statistics(**partitions: dict[str, Any]) -> dict[str, Any]:
    return {"topics": {"job.status": {"partitions": partitions}}}


def test_lag_is_from_the_commit_to_the_end() -> None:
    said = statistics(p0=log(hi_offset=10, committed_offset=4), p1=log(hi_offset=7, committed_offset=7))
    assert lag_by_topic(said) == {"job.status": 6}


def test_before_the_first_commit_what_was_not_taken_is_behind() -> None:
    assert lag_by_topic(statistics(p0=log(hi_offset=10, app_offset=3))) == {"job.status": 7}
    assert lag_by_topic(statistics(p0=log(hi_offset=10, lo_offset=2))) == {"job.status": 8}
    assert lag_by_topic(statistics(p0=log(hi_offset=10))) == {"job.status": 10}


def test_partitions_of_others_and_unknown_ends_do_not_count() -> None:
    others = statistics(p0=log(hi_offset=10, committed_offset=4, fetch_state="none"), p1=log(committed_offset=4))
    assert lag_by_topic(others) == {}
    assert lag_by_topic({"topics": {"job.status": {"partitions": {"-1": log(hi_offset=9)}}}}) == {}


def test_a_commit_beyond_the_known_end_is_no_negative_lag() -> None:
    assert lag_by_topic(statistics(p0=log(hi_offset=3, committed_offset=5))) == {"job.status": 0}


def test_a_topic_that_went_to_another_member_is_shown_no_more() -> None:
    metrics = Metrics()
    gauge = LagGauge(metrics)
    gauge(json.dumps(statistics(p0=log(hi_offset=10, committed_offset=4))))
    assert metrics.value(families.LAG, topic="job.status") == 6
    gauge(json.dumps(statistics(p0=log(hi_offset=10, committed_offset=4, fetch_state="none"))))
    assert metrics.value(families.LAG, topic="job.status") is None
