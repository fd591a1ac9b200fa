"""One suite over the shipped fake and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from pipeline.contracts import ids
from pipeline.contracts.call_info import CallInfo
from pipeline.stream.ports import Delivered, TopicPartition
from services.ingest import handler
from services.ingest.clients import Client
from services.ingest.jobs import Cursor, StoredObject
from services.ingest.listing import ANYTHING, Wanted
from services.ingest.problems import IDEMPOTENCY_MISMATCH, Problem
from services.ingest.submissions import Submission
from tests.integration.ingest.repositories import Repositories, idempotency, submission

OTHER = Client(client_id="other", name="Other")


def test_what_was_submitted_is_shown_as_it_was(repositories: Repositories) -> None:
    repositories.with_client()
    given = submission()
    accepted = repositories.submissions.submit(given, None)
    job = repositories.jobs.fetch("acme", given.job_id)
    assert job is not None
    assert (accepted.job_id, accepted.repeated) == (given.job_id, False)
    assert (job.accepted_at, job.accepted_at.tzinfo is not None) == (accepted.accepted_at, True)
    assert job.audio == StoredObject(key=given.audio.key, sha256=given.audio.sha256, size_bytes=2**33)
    call = given.call_info
    assert (job.file_name, job.operator, job.customer_number) == (call.file_name, call.operator, call.customer_number)
    assert (job.started_at, job.direction, job.queue, job.metadata) == (
        call.started_at,
        call.direction,
        call.queue,
        call.metadata,
    )
    assert (job.channel_roles, job.formats, job.declared_duration_ms) == (given.channel_roles, given.formats, 2**40)
    assert (job.outcome.state, job.outcome.run, job.outcome.artefacts) == ("queued", 1, {})


def test_another_clients_job_is_no_job(repositories: Repositories) -> None:
    repositories.with_client().with_client(OTHER)
    given = submission()
    repositories.submissions.submit(given, None)
    assert repositories.jobs.fetch("other", given.job_id) is None
    assert repositories.jobs.page("other", ANYTHING, after=None, limit=10) == []


def test_the_same_key_and_request_give_the_first_job(repositories: Repositories) -> None:
    repositories.with_client()
    first = repositories.submissions.submit(submission(), idempotency())
    second = repositories.submissions.submit(submission(), idempotency())
    assert (second.job_id, second.accepted_at, second.repeated) == (first.job_id, first.accepted_at, True)
    assert len(repositories.jobs.page("acme", ANYTHING, after=None, limit=10)) == 1


def test_the_same_key_with_another_request_is_refused_and_nothing_is_kept(repositories: Repositories) -> None:
    repositories.with_client()
    repositories.submissions.submit(submission(), idempotency())
    other = submission()
    with pytest.raises(Problem) as caught:
        repositories.submissions.submit(other, idempotency(request=b"x" * 32))
    assert caught.value.kind == IDEMPOTENCY_MISMATCH
    assert repositories.jobs.fetch("acme", other.job_id) is None


def test_a_key_belongs_to_its_client(repositories: Repositories) -> None:
    repositories.with_client().with_client(OTHER)
    first = repositories.submissions.submit(submission(), idempotency())
    second = repositories.submissions.submit(submission("other"), idempotency(request=b"x" * 32))
    assert first.job_id != second.job_id
    assert not second.repeated


def test_many_at_once_with_one_key_make_one_job(repositories: Repositories) -> None:
    repositories.with_client()
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: repositories.submissions.submit(submission(), idempotency()), range(60)))
    assert len({answer.job_id for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1
    with repositories.outbox.turn() as turn:
        assert turn is not None
        assert len(turn.waiting("normal", 10, {})) == 1


def test_pages_lead_through_all_jobs_newest_first(repositories: Repositories) -> None:
    repositories.with_client()
    given = [repositories.submissions.submit(submission(), None).job_id for _ in range(7)]
    seen: list[str] = []
    after: Cursor | None = None
    while page := repositories.jobs.page("acme", ANYTHING, after=after, limit=3):
        seen += [job.job_id for job in page]
        after = Cursor.decode(Cursor(page[-1].accepted_at, page[-1].job_id).encode())
    assert seen == given[::-1]
    assert repositories.jobs.page("acme", Wanted(state="completed"), after=None, limit=10) == []
    assert len(repositories.jobs.page("acme", Wanted(state="queued"), after=None, limit=10)) == 7


def part(chain_id: str, client_id: str = "acme", minute: int = 0) -> Submission:
    """A call of a chain, which began in this minute."""
    call = CallInfo(started_at=datetime(2026, 1, 31, 11, minute, tzinfo=UTC), metadata={"chain_id": chain_id})
    return submission(client_id, call_info=call)


def test_parts_of_a_transferred_call_are_found_by_their_chain(repositories: Repositories) -> None:
    repositories.with_client().with_client(OTHER)
    given = [part("A"), part("B"), part("A"), part(""), part(""), submission(), part("B", "other")]
    job_ids = [repositories.submissions.submit(each, None).job_id for each in given]
    found = repositories.jobs.page("acme", Wanted(chain_id="A"), after=None, limit=10)
    assert [job.job_id for job in found] == [job_ids[2], job_ids[0]]
    assert repositories.jobs.page("acme", Wanted(chain_id="a"), after=None, limit=10) == []
    listed = {job.job_id: job.other_parts for job in repositories.jobs.page("acme", ANYTHING, after=None, limit=10)}
    assert [listed[job_id] for job_id in job_ids[:-1]] == [True, False, True, False, False, False]
    shown = repositories.jobs.fetch("acme", job_ids[0])
    assert shown is not None
    assert (shown.chain_id, shown.other_parts) == ("A", True)


def test_a_period_in_the_order_for_people_holds_chains_together(repositories: Repositories) -> None:
    repositories.with_client().with_client(OTHER)
    given = [
        submission(),
        part("A", minute=9),
        submission(),
        part("B", minute=1),
        part("A", minute=5),
        part("A", minute=5),
        part(""),
        part("B", minute=2),
        submission(),
        part("A", "other"),
    ]
    accepted = [repositories.submissions.submit(each, None) for each in given]
    names = {one.job_id: number for number, one in enumerate(accepted)}

    def ordered(limit: int, first: int = 0, last: int = 9) -> list[int]:
        since, before = accepted[first].accepted_at, accepted[last].accepted_at
        return [names[one] for one in repositories.jobs.by_chains("acme", since=since, before=before, limit=limit)]

    assert ordered(limit=100) == [8, 3, 7, 6, 4, 5, 1, 2, 0]
    assert ordered(limit=100, first=1, last=5) == [4, 1, 3, 2]
    assert ordered(limit=3) == [8, 7, 6]  # the newest, whatever they belong to


def test_the_outbox_gives_events_in_order_until_they_are_sent(repositories: Repositories) -> None:
    repositories.with_client()
    given = [submission() for _ in range(3)]
    accepted = [repositories.submissions.submit(each, None) for each in given]
    with repositories.outbox.turn() as turn:
        assert turn is not None
        assert (turn.logs(), turn.sent()) == ([], [])
        waiting = turn.waiting("normal", 2, {})
        expected = [handler.announcement(each, kept.accepted_at) for each, kept in zip(given, accepted, strict=True)]
        assert [announcement.event for announcement in waiting] == expected[:2]
        assert waiting[0].event.event_id == ids.event_id(given[0].job_id, 1, "audio.uploaded")
        numbers = [announcement.outbox_id for announcement in waiting]
        turn.mark_sent(numbers, "here", [Delivered("audio.uploaded", 3, 7), Delivered("audio.uploaded", 1, 9)])
    with repositories.outbox.turn() as turn:
        assert turn is not None
        assert [(row.outbox_id, row.cluster_id, row.topic, row.partition, row.offset) for row in turn.sent()] == [
            (numbers[0], "here", "audio.uploaded", 3, 7),
            (numbers[1], "here", "audio.uploaded", 1, 9),
        ]
        assert [announcement.event for announcement in turn.waiting("normal", 10, {})] == expected[2:]
        assert [announcement.event for announcement in turn.fetch(numbers[::-1])] == expected[:2]
        turn.close_finished()
        assert len(turn.sent()) == 2


def announce_all(repositories: Repositories, offsets: list[tuple[int, int]]) -> list[int]:
    """Submit and announce one job for each (partition, offset); their outbox ids."""
    for _ in offsets:
        repositories.submissions.submit(submission(), None)
    with repositories.outbox.turn() as turn:
        assert turn is not None
        numbers = [row.outbox_id for row in turn.waiting("normal", len(offsets), {})]
        turn.mark_sent(numbers, "here", [Delivered("audio.uploaded", *place) for place in offsets])
    return numbers


def test_the_outbox_counts_what_each_log_holds(repositories: Repositories) -> None:
    announce_all(repositories.with_client(), [(0, 4), (1, 1), (0, 9)])
    with repositories.outbox.turn() as turn:
        assert turn is not None
        found = {(log.cluster_id, log.topic_partition): (log.jobs, log.last_offset) for log in turn.logs()}
    assert found == {
        ("here", TopicPartition("audio.uploaded", 0)): (2, 9),
        ("here", TopicPartition("audio.uploaded", 1)): (1, 1),
    }


def test_what_the_group_has_passed_is_remembered_until_it_is_reset_or_announced_again(
    repositories: Repositories,
) -> None:
    numbers = announce_all(repositories.with_client(), [(0, 0), (0, 1), (0, 2)])
    with repositories.outbox.turn() as turn:
        assert turn is not None
        turn.mark_passed(numbers)
        turn.mark_passed([])
    with repositories.outbox.turn() as turn:
        assert turn is not None
        assert all(row.passed_s is not None and row.passed_s >= 0 for row in turn.sent())
        turn.mark_unread(numbers[:1])
        turn.mark_sent(numbers[1:2], "here", [Delivered("audio.uploaded", 0, 3)])
    with repositories.outbox.turn() as turn:
        assert turn is not None
        assert [(row.passed_s is None, row.announcements) for row in turn.sent()] == [(True, 1), (True, 2), (False, 1)]


def test_what_lay_in_a_lost_log_lies_nowhere(repositories: Repositories) -> None:
    announce_all(repositories.with_client(), [(0, 0), (1, 0)])
    with repositories.outbox.turn() as turn:
        assert turn is not None
        turn.mark_lost([TopicPartition("audio.uploaded", 1)])
        assert [row.cluster_id for row in turn.sent()] == ["here", ""]


def queue(repositories: Repositories, **counts: int) -> None:
    for client_id, count in counts.items():
        repositories.with_client(Client(client_id=client_id, name=client_id))
        for number in range(count):
            repositories.submissions.submit(submission(client_id, call_id=f"{client_id}{number}"), None)


def test_clients_wait_in_turn_behind_the_one_served_last(repositories: Repositories) -> None:
    queue(repositories, b=3, a=2, c=1)
    with repositories.outbox.turn() as turn:
        assert turn is not None

        def calls(limit: int) -> list[str]:
            return [row.event.call_id for row in turn.waiting("normal", limit, {})]

        assert calls(9) == ["a0", "b0", "c0", "a1", "b1", "b2"]
        assert calls(2) == ["a0", "b0"]
        turn.mark_served("normal", "a")
        turn.mark_served("bulk", "b")
        assert calls(9) == ["b0", "c0", "a0", "b1", "a1", "b2"]
        turn.mark_served("normal", "gone")
        assert calls(4) == ["a0", "b0", "c0", "a1"]
        assert turn.waiting("interactive", 9, {}) == turn.waiting("bulk", 9, {}) == []


def test_only_one_has_the_turn(repositories: Repositories) -> None:
    with repositories.outbox.turn() as first:
        assert first is not None
        with repositories.outbox.turn() as second:
            assert second is None
    with repositories.outbox.turn() as third:
        assert third is not None


def test_verify_answers(repositories: Repositories) -> None:
    repositories.submissions.verify()


def test_several_jobs_are_those_of_the_client_alone(repositories: Repositories) -> None:
    other = Client(client_id="other", name="Other")
    repositories.with_client().with_client(other)
    mine = [submission(), submission()]
    theirs = submission("other")
    for one in (*mine, theirs):
        repositories.submissions.submit(one, None)
    asked = [one.job_id for one in (*mine, theirs)]
    assert {job.job_id for job in repositories.jobs.several("acme", asked)} == {one.job_id for one in mine}
    assert repositories.jobs.several("acme", []) == []
