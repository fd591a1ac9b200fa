from __future__ import annotations

from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from pipeline.telemetry.reading import Reading, readings
from razgovor.chaos.scraping import SHOWN, asked, together


def shown(name: str, value: float) -> list[Reading]:
    return [Reading(name, {}, value)]


def test_a_workers_own_readings_add_up() -> None:
    assert together([shown(families.LAG.name, 3.0), shown(families.LAG.name, 4.0)]) == {"consumer lag, records": 7.0}


def test_what_every_replica_shows_alike_counts_once() -> None:
    name = families.BACKLOG_JOBS.name
    assert together([shown(name, 5.0), shown(name, 5.0)]) == {"backlog, jobs": 5.0}


def test_labels_of_one_worker_add_up() -> None:
    name = families.BACKLOG_JOBS.name
    both = [Reading(name, {"state": "waiting"}, 2.0), Reading(name, {"state": "announced"}, 3.0)]
    assert together([both]) == {"backlog, jobs": 5.0}


def test_who_is_down_shows_nothing() -> None:
    assert asked(None) == []
    assert asked("http://127.0.0.1:9/metrics") == []


def test_readings_keep_name_labels_and_value() -> None:
    text = '# TYPE lag gauge\nlag{topic="a"} 2.0\n'
    assert readings(text) == [Reading("lag", {"topic": "a"}, 2.0)]


def test_everything_shown_is_a_metric_of_ours() -> None:
    known = {family.name for family in vars(families).values() if isinstance(family, families.Family)}
    bare = {name.removesuffix("_sum").removesuffix("_count") for name in SHOWN.values()}
    assert bare <= known
    assert Metrics().value(families.LAG) is None
