from __future__ import annotations

from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from pipeline.telemetry.reading import Reading, readings
from razgovor.chaos.scraping import NEEDED, SHOWN, Moment, Shown, Sums, asked, never_shown


def shown(name: str, value: float, worker: str = "ledger-0") -> Shown:
    return Shown(worker.partition("-")[0], worker, [Reading(name, {}, value)])


def test_workers_own_readings_add_up_by_service() -> None:
    name = families.LAG.name
    both = [shown(name, 3.0), shown(name, 4.0, "ledger-1"), shown(name, 5.0, "exporter-0")]

    assert Sums().add(both) == {"ledger": {"consumer lag, records": 7.0}, "exporter": {"consumer lag, records": 5.0}}


def test_what_every_replica_shows_alike_counts_once() -> None:
    name = families.BACKLOG_JOBS.name

    assert Sums().add([shown(name, 5.0), shown(name, 5.0, "ledger-1")]) == {"ledger": {"backlog, jobs": 5.0}}


def test_labels_of_one_worker_add_up() -> None:
    name = families.BACKLOG_JOBS.name
    both = [Reading(name, {"state": "waiting"}, 2.0), Reading(name, {"state": "announced"}, 3.0)]

    assert Sums().add([Shown("ingest", "ingest-0", both)]) == {"ingest": {"backlog, jobs": 5.0}}


def test_what_grows_counts_over_the_deaths_of_its_workers() -> None:
    name, sums = f"{families.LATENCY.name}_count", Sums()
    seen = [sums.add([shown(name, value)])["ledger"]["jobs ended"] for value in (3.0, 5.0, 1.0)]

    assert seen == [3.0, 5.0, 6.0]
    assert sums.add([Shown("ledger", "ledger-0", [])]) == {"ledger": {"jobs ended": 6.0}}


def test_who_is_down_shows_nothing() -> None:
    assert asked(None) == []
    assert asked("http://127.0.0.1:9/metrics") == []


def test_readings_keep_name_labels_and_value() -> None:
    text = '# TYPE lag gauge\nlag{topic="a"} 2.0\n'
    assert readings(text) == [Reading("lag", {"topic": "a"}, 2.0)]


def test_everything_shown_is_a_metric_of_ours() -> None:
    known = {family.name for family in vars(families).values() if isinstance(family, families.Family)}
    bare = {name.removesuffix("_sum").removesuffix("_count") for name, _ in SHOWN.values()}
    assert bare <= known
    assert Metrics().value(families.LAG) is None


def test_what_was_never_seen_above_zero_is_named() -> None:
    full = {service: dict.fromkeys(titles, 1.0) for service, titles in NEEDED.items()}
    idle = {**full, "transcriber": {**full["transcriber"], "engine s": 0.0}}

    assert never_shown([Moment(0.0, {}), Moment(3.0, full)]) == ()
    assert never_shown([Moment(0.0, idle)]) == ("metrics: transcriber never showed any engine s",)
    assert len(never_shown([])) == sum(map(len, NEEDED.values()))
    assert {title for titles in NEEDED.values() for title in titles} <= SHOWN.keys()
