from __future__ import annotations

import pytest

from services.ingest.clients import Client
from services.ingest.jobs import Outcome
from services.ingest.scopes import READ, SUBMIT
from services.ingest.webhooks.verdicts import DELIVERED, Answered, judge
from tests.integration.ingest.repositories import submission
from tests.unit.ingest.rig import Rig

NOBODYS = "00000000-0000-4000-8000-000000000000"


def rig_with(jobs: int) -> Rig:
    """acme's jobs, each at its end and told."""
    rig = Rig()
    rig.clients.change("acme", lambda _: Client(client_id="acme", name="Acme", webhook_url="https://acme.example/"))
    for number in range(jobs):
        given = submission()
        rig.submissions.submit(given, None)
        rig.submissions.outcomes[given.job_id] = Outcome(run=1, state="completed")
        rig.now_s = float(number)
        rig.webhooks.collect(100)
    return rig


def settle(rig: Rig) -> None:
    for claimed in rig.webhooks.claim(100, 100, []):
        answered = Answered(status_code=200)
        rig.webhooks.mark(claimed, answered, judge(answered, claimed.attempt, claimed.left_s, 0.5))


def test_messages_are_listed_newest_first_page_by_page() -> None:
    http = rig_with(5).http()
    pages, cursor = [], None
    while True:
        page = http.get("/v1/webhooks/deliveries", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        pages.append([one["created_at"] for one in page["deliveries"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    listed = [moment for page in pages for moment in page]
    assert listed == sorted(listed, reverse=True)


def test_a_message_says_what_became_of_it() -> None:
    rig = rig_with(1)
    settle(rig)
    (told,) = rig.http().get("/v1/webhooks/deliveries", params={"status": "delivered"}).json()["deliveries"]
    assert (told["type"], told["status"], told["status_code"], told["attempts"], told["next_attempt_at"]) == (
        "job.completed",
        "delivered",
        200,
        1,
        None,
    )
    assert rig.http().get("/v1/webhooks/deliveries", params={"status": "expired"}).json()["deliveries"] == []


def test_a_message_is_sent_again_when_asked_for() -> None:
    rig = rig_with(1)
    settle(rig)
    (told,) = rig.webhooks.page("acme")
    answer = rig.http().post(f"/v1/webhooks/deliveries/{told.webhook_id}/replay")
    assert (answer.status_code, answer.json()["status"], answer.json()["webhook_id"]) == (
        202,
        "pending",
        told.webhook_id,
    )
    settle(rig)
    assert rig.webhooks.page("acme")[0].status == DELIVERED


@pytest.mark.parametrize("webhook_id", [NOBODYS, "x", "%00", "a" * 300])
def test_a_message_that_there_is_not_is_404(webhook_id: str) -> None:
    answer = rig_with(1).http().post(f"/v1/webhooks/deliveries/{webhook_id}/replay")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_another_clients_messages_are_no_messages() -> None:
    rig = rig_with(1)
    other = rig.http(rig.add_client(Client(client_id="other", name="Other")))
    (told,) = rig.webhooks.page("acme")
    assert other.get("/v1/webhooks/deliveries").json()["deliveries"] == []
    assert other.post(f"/v1/webhooks/deliveries/{told.webhook_id}/replay").status_code == 404
    assert other.get("/v1/webhooks/deliveries", params={"cursor": told.webhook_id}).status_code == 422


def test_a_webhook_can_be_tried() -> None:
    rig = rig_with(0)
    answer = rig.http().post("/v1/webhooks/test")
    assert (answer.status_code, answer.json()["type"], answer.json()["job_id"]) == (202, "webhook.test", None)


def test_without_a_webhook_there_is_nothing_to_try() -> None:
    answer = Rig().http().post("/v1/webhooks/test")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_webhook")


def test_reading_needs_read_and_ordering_needs_submit() -> None:
    rig = rig_with(1)
    reader = rig.http(rig.add_client(Client(client_id="acme", name="Acme"), (READ,)))
    sender = rig.http(rig.add_client(Client(client_id="acme", name="Acme"), (SUBMIT,)))
    assert sender.get("/v1/webhooks/deliveries").status_code == 403
    assert reader.get("/v1/webhooks/deliveries").status_code == 200
    assert reader.post("/v1/webhooks/test").status_code == 403
    assert reader.post(f"/v1/webhooks/deliveries/{NOBODYS}/replay").status_code == 403


@pytest.mark.parametrize("query", [{"status": "lost"}, {"cursor": "x"}, {"cursor": NOBODYS}, {"limit": "0"}])
def test_what_cannot_be_asked_for_is_refused(query: dict[str, str]) -> None:
    answer = rig_with(1).http().get("/v1/webhooks/deliveries", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
