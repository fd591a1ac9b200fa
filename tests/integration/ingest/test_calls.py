"""What is kept of upstream systems' calls: one suite over the shipped fake and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_calls import MemoryCalls
from services.ingest.adapters.postgres import Database, PostgresCalls, PostgresClients
from services.ingest.calls.ports import Calls, Refusal, RefusedMeanwhile, Standing
from services.ingest.clients import Quota
from services.ingest.problems import QUOTA_EXCEEDED, Problem
from tests.integration.databases import DATABASES
from tests.integration.ingest.repositories import ACME, submission

FINAL = ("source_missing", {"figure": "1"})
OURS = ("internal_error", {"service": "ingest"})


@pytest.fixture(params=DATABASES)
def calls(request: pytest.FixtureRequest) -> Calls:
    if request.param == "memory":
        return MemoryCalls(MemorySubmissions())
    database: Database = request.getfixturevalue("database")
    PostgresClients(database).create(replace(ACME, quota=Quota(daily_minutes=1)))
    return PostgresCalls(database)


def test_of_a_new_call_nothing_is_known(calls: Calls) -> None:
    assert calls.standing("acme", "job") == Standing()
    assert calls.standing("acme", "job").next_run == 1


def test_a_call_is_accepted_once(calls: Calls) -> None:
    given = submission()
    first = calls.submit(given, None)
    again = calls.submit(given, None)
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.job_id, again.accepted_at) == (first.job_id, first.accepted_at)
    assert calls.standing("acme", given.job_id) == Standing(accepted=True)


def test_what_is_accepted_is_refused_no_more(calls: Calls) -> None:
    given = submission()
    calls.submit(given, None)
    assert calls.refuse("acme", given.job_id, *FINAL) is None
    assert calls.standing("acme", given.job_id).accepted


def test_what_is_refused_is_accepted_no_more_and_keeps_its_first_reason(calls: Calls) -> None:
    given = submission()
    kept = Refusal(1, *FINAL)
    assert calls.refuse("acme", given.job_id, *FINAL) == kept
    assert calls.refuse("acme", given.job_id, "source_denied", {}) == kept
    for run in (1, 2):
        with pytest.raises(RefusedMeanwhile) as refused:
            calls.submit(replace(given, run=run), None)
        assert refused.value.refusal == kept
    assert calls.standing("acme", given.job_id) == Standing(refusal=kept)


def test_a_refusal_that_is_ours_ends_with_another_run(calls: Calls) -> None:
    given = submission()
    assert calls.refuse("acme", given.job_id, *OURS) == Refusal(1, *OURS)
    with pytest.raises(RefusedMeanwhile):
        calls.submit(given, None)
    assert calls.refuse("acme", given.job_id, *OURS) == Refusal(2, *OURS)
    assert calls.standing("acme", given.job_id).next_run == 3
    accepted = calls.submit(replace(given, run=3), None)
    assert not accepted.repeated


def test_a_client_that_there_is_not_can_be_refused(calls: Calls) -> None:
    assert calls.refuse("nobody", "job", "no_such_client", {}) == Refusal(1, "no_such_client")


def test_a_quota_is_looked_at(calls: Calls) -> None:
    given = submission()  # which says that it lasts 35 years
    with pytest.raises(Problem) as refused:
        calls.submit(given, None, Quota(daily_minutes=1))
    assert refused.value.kind == QUOTA_EXCEEDED
    assert calls.standing("acme", given.job_id) == Standing()


def test_of_an_acceptance_and_a_refusal_at_once_one_holds(calls: Calls) -> None:
    def accept(given: object) -> bool:
        try:
            return not calls.submit(given, None).repeated  # type: ignore[arg-type]
        except RefusedMeanwhile:
            return False

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            given = submission()
            accepting = [pool.submit(accept, given) for _ in range(2)]
            refusing = [pool.submit(calls.refuse, "acme", given.job_id, *FINAL) for _ in range(2)]
            accepted = sum(one.result() for one in accepting)
            refused = sum(one.result() is not None for one in refusing)
            assert (accepted, refused) in {(1, 0), (0, 2)}
            assert calls.standing("acme", given.job_id).accepted == bool(accepted)


def test_where_a_client_may_name_recordings_is_kept(database: Database) -> None:
    clients = PostgresClients(database)
    clients.create(ACME)
    clients.change("acme", lambda client: replace(client, sources=("s3://acme-calls/", "s3://b-b/ц/")))
    found = clients.fetch("acme")
    assert found is not None
    assert found.sources == ("s3://acme-calls/", "s3://b-b/ц/")
