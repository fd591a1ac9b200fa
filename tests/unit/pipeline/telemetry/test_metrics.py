from __future__ import annotations

import dataclasses

import pytest

from pipeline.errors import CallFault, Fatal, Transient
from pipeline.telemetry import families
from pipeline.telemetry.families import Counter, Family, Gauge, Histogram, Summary
from pipeline.telemetry.metrics import Metrics

DECLARED = [family for family in vars(families).values() if isinstance(family, Family)]
JOB_IDS = {"job", "job_id", "call_id", "key", "event_id", "offset"}


def test_it_says_what_runs() -> None:
    shown = {
        sample.labels["service"]
        for metric in Metrics("ledger").registry.collect()
        for sample in metric.samples
        if sample.name == "razgovor_build_info"
    }
    assert shown == {"ledger"}


def test_a_counter_shows_nothing_until_counted_or_started_at_zero() -> None:
    metrics = Metrics()
    assert metrics.value(families.ENGINE) is None
    metrics.start_at_zero(families.ENGINE)
    assert metrics.value(families.ENGINE) == 0.0
    metrics.add(families.ENGINE, 2.5)
    metrics.add(families.ENGINE)
    assert metrics.value(families.ENGINE) == 3.5


def test_labels_are_exactly_the_family_s() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match="label"):
        metrics.add(families.RECORDS)
    with pytest.raises(ValueError, match="label"):
        metrics.add(families.RECORDS, topic="t", job_id="j")


def test_processes_do_not_share_a_registry() -> None:
    one, other = Metrics(), Metrics()
    one.add(families.PAUSES, 1)
    assert other.value(families.PAUSES) is None


def test_a_gauge_is_replaced_whole() -> None:
    metrics = Metrics()
    metrics.replace(families.BACKLOG_JOBS, {("bulk", "waiting"): 7, ("normal", "waiting"): 1})
    metrics.replace(families.BACKLOG_JOBS, {("normal", "waiting"): 2})
    assert metrics.value(families.BACKLOG_JOBS, priority="normal", state="waiting") == 2
    assert metrics.value(families.BACKLOG_JOBS, priority="bulk", state="waiting") is None


def test_a_histogram_counts_below_its_bounds() -> None:
    metrics = Metrics()
    metrics.observe(families.QUEUE_WAIT, 0.7, priority="bulk")
    metrics.observe(families.QUEUE_WAIT, 1e9, priority="bulk")
    below = {"priority": "bulk", "le": "1.0"}
    assert metrics.registry.get_sample_value("razgovor_queue_wait_seconds_bucket", below) == 1
    assert metrics.value(families.QUEUE_WAIT, "_count", priority="bulk") == 2


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (None, "ok"),
        (CallFault("an_answer"), "ok"),
        (Transient("away"), "transient"),
        (Fatal("refused"), "failed"),
        (KeyError("a bug"), "failed"),
    ],
)
def test_a_call_to_a_peer_is_timed_by_its_end(raised: Exception | None, outcome: str) -> None:
    metrics = Metrics()

    def call() -> None:
        with metrics.call("store", "put"):
            if raised is not None:
                raise raised

    if raised is None:
        call()
    else:
        with pytest.raises(type(raised)):
            call()
    labels = {"peer": "store", "operation": "put", "outcome": outcome}
    assert metrics.value(families.PEER_CALLS, "_count", **labels) == 1
    assert metrics.value(families.PEER_CALLS, "_sum", **labels) is not None


def test_one_name_is_one_kind() -> None:
    metrics = Metrics()
    metrics.add(families.PAUSES)
    wrong = Gauge(families.PAUSES.name, "the same name as another kind")
    with pytest.raises(TypeError, match="razgovor_pause_seconds_total"):
        metrics.set(wrong, 1)


def test_what_is_declared_holds_to_the_rules() -> None:
    assert len(DECLARED) > 20
    assert len({family.name for family in DECLARED}) == len(DECLARED)
    for family in DECLARED:
        assert family.name.startswith("razgovor_"), family
        assert family.name.endswith("_total") == isinstance(family, Counter), family
        assert not JOB_IDS & set(family.labels), family
        assert family.text.endswith("."), family
        assert dataclasses.is_dataclass(family), family
        assert isinstance(family, Counter | Gauge | Histogram | Summary), family
        if isinstance(family, Histogram):
            assert list(family.bounds) == sorted(set(family.bounds)), family


def test_every_declared_family_can_be_made() -> None:
    metrics = Metrics()
    metrics.start_at_zero(*DECLARED)
    names = {metric.name for metric in metrics.registry.collect()}
    assert {family.name.removesuffix("_total") for family in DECLARED} <= names
