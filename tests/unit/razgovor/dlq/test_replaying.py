from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pipeline.contracts.events import Event
from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.testing import samples
from razgovor.dlq.replaying import Publish, Requeue, Skip, plan
from services.ingest.jobs import Outcome
from tests.integration.ingest.repositories import submission
from tests.unit.razgovor.dlq.letters import House, letter


def house_with_jobs(*job_ids: str) -> House:
    house = House()
    for job_id in job_ids:
        given = dataclasses.replace(submission(), job_id=job_id)
        house.submissions.submit(given, None)
    return house


@pytest.mark.parametrize("event", [samples.audio_uploaded(run=3), samples.transcript_ready(run=3)])
def test_a_job_that_was_told_failed_is_done_again_as_a_new_run(event: Event) -> None:
    assert plan(letter(event), wire.decode) == Requeue("job-1", 3)


def test_a_record_nobody_had_understood_is_published_as_it_came() -> None:
    event = samples.job_status()
    wanted = plan(letter(event, "decode", group="ledger"), wire.decode)
    assert wanted == Publish(wire.encode(event))


@pytest.mark.parametrize("stage", ["decode", "handle"])
def test_an_upstream_systems_call_is_published_again_because_it_has_no_job_yet(stage: str) -> None:
    event = samples.call_recorded()
    assert plan(letter(event, stage, group="ingest"), wire.decode) == Publish(wire.encode(event))
    assert plan(letter(event, stage, group="ingest", value=None), wire.decode) == Skip("bytes_missing")


def test_what_is_still_not_understood_is_left_alone_unless_forced() -> None:
    junk = letter(samples.job_status(), "decode", value=b"\x00junk")
    assert plan(junk, wire.decode) == Skip("still_undecodable")
    forced = plan(junk, wire.decode, force=True)
    assert isinstance(forced, Publish)
    assert forced.record.value == b"\x00junk"


def test_an_event_of_another_topic_is_left_alone_unless_forced() -> None:
    stray = letter(samples.job_status(), "decode", origin_topic="audio.uploaded")
    assert plan(stray, wire.decode) == Skip("belongs_elsewhere")
    assert isinstance(plan(stray, wire.decode, force=True), Publish)


def test_a_letter_without_its_bytes_can_only_be_done_again_as_a_job() -> None:
    assert plan(letter(samples.job_status(), "decode", value=None), wire.decode) == Skip("bytes_missing")
    assert plan(letter(samples.audio_uploaded(), "handle", value=None), wire.decode) == Requeue("job-1", None)


@pytest.mark.parametrize("mark", [{"replayed_at": samples.ACCEPTED_AT}, {"dropped_at": samples.ACCEPTED_AT}])
def test_what_is_done_is_not_done_again(mark: dict[str, Any]) -> None:
    assert plan(letter(samples.audio_uploaded(), **mark), wire.decode) == Skip("done")


def test_a_registry_that_is_away_is_waited_for_by_the_operator() -> None:
    def away(_message: object) -> Event:
        raise Transient("registry")

    with pytest.raises(Transient):
        plan(letter(samples.audio_uploaded()), away)


def test_replaying_marks_what_is_done_and_does_it_once() -> None:
    house = house_with_jobs("job-1", "job-2")
    house.keep(letter(samples.transcript_ready("job-1")), letter(samples.job_status("job-2"), "decode"))
    assert [(one.done, one.outcome) for one in house.replay()] == [(True, "run 2"), (True, "job.status/1/0")]
    assert house.announced_runs() == [("job-1", 1), ("job-2", 1), ("job-1", 2)]
    assert [message.value for message in house.broker.messages("job.status")] == [
        wire.encode(samples.job_status("job-2")).value
    ]
    assert house.replay() == []
    assert house.announced_runs() == [("job-1", 1), ("job-2", 1), ("job-1", 2)]


def test_two_letters_of_one_job_start_one_run() -> None:
    house = house_with_jobs("job-1")
    house.keep(*(letter(samples.audio_uploaded("job-1"), origin_offset=offset) for offset in (17, 18)))
    assert [(one.done, one.outcome) for one in house.replay()] == [(True, "run 2"), (True, "superseded")]
    assert house.open() == []


def test_two_letters_without_bytes_of_one_job_start_one_run() -> None:
    house = house_with_jobs("job-1")
    house.submissions.outcomes["job-1"] = Outcome(run=1, state="failed")
    house.keep(*(letter(samples.audio_uploaded("job-1"), value=None, origin_offset=offset) for offset in (17, 18)))
    assert [(one.done, one.outcome) for one in house.replay()] == [(True, "run 2"), (False, "queued")]


def test_a_run_that_completed_after_all_needs_nothing() -> None:
    house = house_with_jobs("job-1")
    house.submissions.outcomes["job-1"] = Outcome(run=1, state="completed")
    house.keep(letter(samples.transcript_ready("job-1")))
    assert [(one.done, one.outcome) for one in house.replay()] == [(True, "completed")]


@pytest.mark.parametrize("state", ["canceled", "erased"])
def test_what_a_person_ended_stays_ended(state: str) -> None:
    house = house_with_jobs("job-1")
    house.submissions.outcomes["job-1"] = Outcome(run=1, state=state)
    house.keep(letter(samples.transcript_ready("job-1")))
    assert [(one.done, one.outcome) for one in house.replay()] == [(False, state)]
    assert len(house.open()) == 1


def test_a_strangers_job_stays_open() -> None:
    house = House()
    house.keep(letter(samples.audio_uploaded("nobody")))
    assert [(one.done, one.outcome) for one in house.replay()] == [(False, "unknown_job")]


def test_a_dry_run_changes_nothing_and_reaches_no_broker() -> None:
    house = house_with_jobs("job-1")
    house.keep(letter(samples.transcript_ready("job-1")), letter(samples.job_status("job-2"), "decode"))
    assert [(one.done, one.outcome) for one in house.replay(dry_run=True)] == [(True, "run 2"), (True, "job.status")]
    assert (len(house.open()), house.announced_runs(), house.opened) == (2, [("job-1", 1)], ["runs"])


def test_what_was_done_before_a_peer_went_away_is_marked() -> None:
    house = house_with_jobs("job-1")
    house.keep(letter(samples.transcript_ready("job-1")), letter(samples.job_status("job-2"), "decode"))
    house.broker.down = True
    with pytest.raises(Transient):
        house.replay()
    assert [one.letter_id for one in house.open()] == [2]
    house.broker.down = False
    assert [one.outcome for one in house.replay()] == ["job.status/1/0"]
