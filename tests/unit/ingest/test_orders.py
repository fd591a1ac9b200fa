"""Canceling, requeueing and erasing over HTTP, in every state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.contracts import states
from services.ingest.clients import Client, Quota
from services.ingest.jobs import Outcome
from services.ingest.scopes import READ, SUBMIT
from tests.unit.ingest.rig import Rig, wav

ACME = Client(client_id="acme", name="Acme")
ON_ITS_WAY = (states.QUEUED, states.TRANSCRIBING, states.TRANSCRIBED)
ENDED = (states.FAILED, states.COMPLETED)
NOTHING = "/v1/jobs/11111111-1111-1111-1111-111111111111"


class Desk(Rig):
    """A rig with one job."""

    def submit(self, state: str = states.QUEUED) -> str:
        answer = self.http().post("/v1/jobs", content=wav(), params={"operator": "Анна", "queue": "q"})
        job_id = str(answer.json()["job_id"])
        if state != states.QUEUED:
            self.say(job_id, state)
        return f"/v1/jobs/{job_id}"

    def say(self, job_id: str, state: str, run: int = 1) -> None:
        """What the ledger says."""
        self.submissions.outcomes[job_id.rpartition("/")[2]] = Outcome(run=run, state=state)

    def shown(self, url: str) -> Any:
        return self.http().get(url).json()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def http(desk: Desk) -> TestClient:
    return desk.http()


@pytest.mark.parametrize("state", ON_ITS_WAY)
def test_what_is_on_its_way_is_canceled_as_soon_as_the_ledger_says_so(desk: Desk, http: TestClient, state: str) -> None:
    url = desk.submit(state)
    first, again = http.post(f"{url}/cancel"), http.post(f"{url}/cancel")
    assert (first.status_code, first.json()["state"], first.json()["run"]) == (202, "canceling", 1)
    assert again.json() == first.json()
    assert desk.shown(url)["state"] == "canceling"
    assert [job["state"] for job in http.get("/v1/jobs", params={"state": "canceling"}).json()["jobs"]] == ["canceling"]
    desk.say(url, states.CANCELED)
    assert desk.shown(url)["state"] == "canceled"
    assert http.post(f"{url}/cancel").json()["state"] == "canceled"
    assert http.get(f"{url}/transcript").json()["code"] == "job_canceled"


@pytest.mark.parametrize("state", ENDED)
def test_what_has_ended_is_not_canceled(desk: Desk, http: TestClient, state: str) -> None:
    url = desk.submit(state)
    answer = http.post(f"{url}/cancel")
    assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (409, "job_ended", state)
    assert desk.shown(url)["state"] == state


def test_a_result_that_was_there_first_stands(desk: Desk, http: TestClient) -> None:
    url = desk.submit()
    http.post(f"{url}/cancel")
    desk.say(url, states.COMPLETED)
    assert desk.shown(url)["state"] == "completed"


def test_what_was_never_announced_never_is_once_it_is_canceled(desk: Desk, http: TestClient) -> None:
    url = desk.submit()
    http.post(f"{url}/cancel")
    with desk.submissions.turn() as turn:
        assert turn is not None
        assert turn.waiting("normal", 9, {}) == []


@pytest.mark.parametrize("state", [states.FAILED, states.CANCELED, "canceling"])
def test_what_failed_or_was_canceled_is_done_again_as_a_new_run(desk: Desk, http: TestClient, state: str) -> None:
    url = desk.submit()
    if state == "canceling":
        http.post(f"{url}/cancel")
    else:
        desk.say(url, state)
    answer = http.post(f"{url}/requeue")
    assert (answer.status_code, answer.json()["run"], answer.json()["state"]) == (202, 2, "queued")
    assert (desk.shown(url)["run"], desk.shown(url)["state"]) == (2, "queued")
    with desk.submissions.turn() as turn:
        assert turn is not None
        assert [row.event.run for row in turn.waiting("normal", 9, {})] == [2]


def test_what_completed_is_done_again_only_if_that_is_said(desk: Desk, http: TestClient) -> None:
    url = desk.submit(states.COMPLETED)
    refused = http.post(f"{url}/requeue")
    assert (refused.status_code, refused.json()["code"], refused.json()["state"]) == (
        409,
        "not_requeuable",
        "completed",
    )
    assert http.post(f"{url}/requeue", params={"reprocess": "true"}).json()["run"] == 2


def test_what_is_on_its_way_is_not_begun_again(desk: Desk, http: TestClient) -> None:
    url = desk.submit(states.TRANSCRIBING)
    assert http.post(f"{url}/requeue").json()["code"] == "not_requeuable"


def test_doing_a_job_again_counts_as_a_job(desk: Desk, http: TestClient) -> None:
    url = desk.submit(states.FAILED)
    desk.clients.change("acme", lambda client: replace(client, quota=Quota(daily_minutes=1)))
    desk.submissions.billed.append(("acme", desk.clock(), 60_000))
    answer = http.post(f"{url}/requeue")
    assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")


@pytest.mark.parametrize("state", [*ON_ITS_WAY, *ENDED, states.CANCELED, "canceling"])
def test_whatever_the_state_nothing_of_an_erased_job_can_be_fetched(desk: Desk, http: TestClient, state: str) -> None:
    url = desk.submit()
    if state == "canceling":
        http.post(f"{url}/cancel")
    else:
        desk.say(url, state)
    first, again = http.delete(url), http.delete(url)
    assert (first.status_code, first.json()["state"]) == (202, "erased")
    assert again.json() == first.json()
    shown = desk.shown(url)
    assert (shown["state"], shown["links"], shown["erasure"]["erased_at"]) == ("erased", {"self": url}, None)
    assert shown["call"] == {
        "started_at": None,
        "direction": None,
        "operator": None,
        "customer_number": None,
        "queue": None,
        "metadata": {},
    }
    for end in ("/audio", "/transcript", "/transcript?format=vtt"):
        answer = http.get(url + end)
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    assert http.get("/v1/jobs", params={"q": "анна"}).json()["jobs"] == []
    assert http.post(f"{url}/cancel").json()["code"] == "job_ended"
    assert http.post(f"{url}/requeue").json()["code"] == "not_requeuable"
    with desk.submissions.turn() as turn:
        assert turn is not None
        assert turn.waiting("normal", 9, {}) == []


def test_the_receipt_says_when_nothing_was_left(desk: Desk, http: TestClient) -> None:
    url = desk.submit(states.COMPLETED)
    http.delete(url)
    desk.submissions.receipts[url.rpartition("/")[2]] = (desk.clock(), 5)
    erasure = desk.shown(url)["erasure"]
    assert (erasure["erased_at"], erasure["objects"]) == ("2026-01-01T00:00:00Z", 5)


def test_orders_need_their_scopes(desk: Desk) -> None:
    url = desk.submit()
    reader = desk.http(desk.add_client(ACME, (READ,)))
    submitter = desk.http(desk.add_client(ACME, (SUBMIT,)))
    assert [reader.post(f"{url}/cancel").status_code, reader.post(f"{url}/requeue").status_code] == [403, 403]
    assert [reader.delete(url).status_code, submitter.delete(url).status_code] == [403, 403]
    assert submitter.post(f"{url}/cancel").status_code == 202


def test_another_clients_job_takes_no_orders(desk: Desk) -> None:
    url = desk.submit(states.FAILED)
    other = desk.http(desk.add_client(Client(client_id="other", name="Other")))
    for method, end in (("POST", "/cancel"), ("POST", "/requeue"), ("DELETE", ""), ("GET", "/events")):
        foreign, none = (
            other.request(method, address + end, headers={"X-Request-ID": "same"}) for address in (url, NOTHING)
        )
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        assert foreign.content == none.content
    assert desk.shown(url)["state"] == "failed"


@pytest.mark.parametrize("job_id", ["x", "../audio", "%00", "11111111-1111-1111-1111-11111111111g"])
def test_what_is_no_id_is_no_job(http: TestClient, job_id: str) -> None:
    assert http.post(f"/v1/jobs/{job_id}/cancel").status_code == 404
    assert http.delete(f"/v1/jobs/{job_id}").status_code in {404, 405}
