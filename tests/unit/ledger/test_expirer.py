from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from pipeline.errors import Transient
from pipeline.telemetry.metrics import Metrics
from services.ledger.adapters.memory_retention import MemoryRetention
from services.ledger.expirer import Expirer
from services.ledger.ports import AUDIO, TRANSCRIPT, Expiry, Rule

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SHA = "a" * 64
DAY = timedelta(days=1)


class House:
    """Jobs of acme, each with all that a job can have in the store."""

    def __init__(self, *rules: Rule) -> None:
        self.store = MemoryStore()
        self.retention = MemoryRetention(lambda: NOW, wanted=list(rules))
        self.expirer = Expirer(self.store, self.retention, Metrics())

    def job(self, job_id: str, ended_before: timedelta, client_id: str = "acme") -> None:
        for key in (
            layout.audio_key(job_id),
            layout.call_info_key(job_id),
            layout.start_key(job_id, 1, 1),
            layout.called_off_key(job_id, 1),
            layout.transcript_key(job_id, 2, SHA),
            layout.artefact_key(job_id, 2, SHA, "txt"),
        ):
            self.store.put(key, b"x", media_type="text/plain")
        self.retention.ended[job_id] = (client_id, NOW - ended_before)

    def left(self, job_id: str) -> set[str]:
        return {found.key.removeprefix(f"jobs/{job_id}/") for found in self.store.list(layout.job_prefix(job_id))}


TEXTS = {"call.json", "1/start-1", f"2/{SHA}/transcript.json", f"2/{SHA}/call.txt"}
MARKER = {"1/canceled"}


@pytest.mark.parametrize(("what", "left"), [(AUDIO, TEXTS | MARKER), (TRANSCRIPT, {"audio"} | MARKER)])
def test_recordings_and_texts_go_each_by_its_own_rule(what: str, left: set[str]) -> None:
    house = House(Rule("acme", what, 30 * DAY))
    house.job("old", 31 * DAY)
    house.job("young", 29 * DAY)
    assert house.expirer.sweep() == 1
    assert house.left("old") == left
    assert house.left("young") == TEXTS | MARKER | {"audio"}
    assert house.retention.expired == {Expiry("old", what): 1 if what == AUDIO else 4}


def test_who_agreed_on_nothing_keeps_everything() -> None:
    house = House(Rule("other", AUDIO, DAY))
    house.job("old", 400 * DAY)
    assert house.expirer.sweep() == 0
    assert "audio" in house.left("old")


def test_what_is_gone_is_not_swept_again() -> None:
    house = House(Rule("acme", AUDIO, DAY), Rule("acme", TRANSCRIPT, DAY))
    for number in range(1200):
        house.job(f"job-{number:04}", 2 * DAY)
    assert (house.expirer.sweep(), house.expirer.sweep()) == (2400, 0)
    assert {found.key.rpartition("/")[2] for found in house.store.list("jobs/")} == {"canceled"}


def test_what_was_begun_and_not_finished_is_finished_by_the_next_sweep() -> None:
    house = House()
    house.job("begun", DAY)
    house.retention.begin(["begun"], AUDIO)
    assert house.expirer.sweep() == 1
    assert house.retention.expired == {Expiry("begun", AUDIO): 1}
    assert "audio" not in house.left("begun")


def test_a_store_that_does_not_answer_leaves_it_written_down() -> None:
    class Away(MemoryStore):
        away = True

        def delete(self, key: str) -> None:
            if self.away:
                raise Transient("away")
            super().delete(key)

    house = House(Rule("acme", AUDIO, DAY))
    store = Away()
    house.store = store
    house.expirer = Expirer(store, house.retention, Metrics())
    house.job("old", 2 * DAY)
    with pytest.raises(Transient):
        house.expirer.sweep()
    assert house.retention.expired == {Expiry("old", AUDIO): None}
    store.away = False
    assert house.expirer.sweep() == 1


def test_one_sweeps_at_a_time() -> None:
    house = House(Rule("acme", AUDIO, DAY))
    house.job("old", 2 * DAY)
    house.retention.busy = True
    assert house.expirer.sweep() is None
    assert "audio" in house.left("old")


def test_told_to_stop_it_leaves_the_rest() -> None:
    house = House(Rule("acme", AUDIO, DAY))
    house.job("old", 2 * DAY)
    stop = threading.Event()
    stop.set()
    assert house.expirer.sweep(stop) == 0
    assert "audio" in house.left("old")
