from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network

import pytest
from standardwebhooks.webhooks import Webhook

from pipeline.outbound import Allowed, Outbound
from pipeline.telemetry.metrics import Metrics
from pipeline.testing.waiting import eventually
from services.ingest.clients import Client
from services.ingest.jobs import Outcome
from services.ingest.webhooks import signing
from services.ingest.webhooks.deliverer import Deliverer
from services.ingest.webhooks.deliveries import Delivery, webhook_id_of
from services.ingest.webhooks.verdicts import DELIVERED, EXPIRED, PENDING, REFUSED
from tests.integration.ingest.repositories import submission
from tests.unit.ingest.rig import Rig
from tests.unit.pipeline.outbound.wires import Names, Wires

SECRET = signing.secret_text(bytes(range(signing.SECRET_BYTES)))
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class House:
    """A client with an address, a job at its end, and a receiver that answers what it is told."""

    def __init__(self, answer: bytes = OK, *, address: str = "93.184.216.34", state: str = "completed") -> None:
        self.rig = Rig()
        self.rig.clients.change("acme", lambda client: _with_webhook(client, "https://acme.example/hook?x=1"))
        self.book = self.rig.webhooks
        self.book.rotate("acme", SECRET)
        self.wires = Wires(answer)
        self.allowed = Allowed(networks=(ip_network("10.0.0.0/8"),))
        outbound = Outbound(self.allowed, resolve=Names([address]), dial=self.wires)
        self.deliverer = Deliverer(self.book, outbound, self.rig.clock, lambda: 0.5, Metrics(), poll_s=0.01)
        self.job_id = self.end(state)

    def end(self, state: str) -> str:
        given = submission()
        self.rig.submissions.submit(given, None)
        reason = "no_audio" if state == "failed" else None
        self.rig.submissions.outcomes[given.job_id] = Outcome(run=1, state=state, reason=reason)
        return given.job_id

    def step(self) -> Delivery:
        """Collect, and try what is due once."""
        self.book.collect(10)
        for claimed in self.book.claim(10, 10, []):
            self.deliverer.deliver(claimed)
        return self.book.page("acme")[-1]

    def pass_s(self, seconds: float) -> None:
        self.rig.now_s += seconds

    def sent(self) -> tuple[dict[str, str], bytes]:
        head, _, body = self.wires.written.rpartition(b"\r\n\r\n")
        lines = head.decode().rpartition("POST ")[2].split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}, body


def _with_webhook(client: Client, url: str | None) -> Client:
    return Client(client_id=client.client_id, name=client.name, webhook_url=url)


@pytest.mark.parametrize(("state", "reason"), [("completed", None), ("failed", "no_audio"), ("canceled", None)])
def test_a_client_is_told_which_job_ended_how_and_nothing_else(state: str, reason: str | None) -> None:
    house = House(state=state)
    told = house.step()
    headers, body = house.sent()
    assert (told.status, told.status_code, told.attempts) == (DELIVERED, 204, 1)
    assert json.loads(body) == {
        "type": f"job.{state}",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "data": {"job_id": house.job_id, "run": 1, "state": state, "reason": reason},
    }
    assert headers["webhook-id"] == webhook_id_of(house.job_id, 1, state)
    assert (headers["content-type"], headers["host"]) == ("application/json", "acme.example")
    sign = Webhook(SECRET).sign("x", house.rig.clock(), body.decode())
    assert sign.startswith("v1,")
    assert headers["webhook-signature"] == Webhook(SECRET).sign(headers["webhook-id"], house.rig.clock(), body.decode())


def test_it_is_told_once() -> None:
    house = House()
    house.step()
    house.step()
    assert house.wires.written.count(b"POST ") == 1
    assert len(house.book.page("acme")) == 1


def test_whoever_has_no_address_is_told_nothing() -> None:
    house = House()
    house.rig.clients.change("acme", lambda client: _with_webhook(client, None))
    assert house.book.collect(10) == 1
    assert house.book.page("acme") == []


def test_what_fails_is_sent_again_with_the_same_id_and_a_new_time() -> None:
    house = House(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    waits = house.step()
    assert (waits.status, waits.status_code, waits.due_at - house.rig.clock()) == (PENDING, 503, timedelta(seconds=5))
    first, _ = house.sent()
    house.step()
    assert house.wires.written.count(b"POST ") == 1
    house.pass_s(5)
    assert house.step().attempts == 2
    second, _ = house.sent()
    assert second["webhook-id"] == first["webhook-id"]
    assert int(second["webhook-timestamp"]) == int(first["webhook-timestamp"]) + 5


def test_a_receiver_that_asks_for_time_gets_it() -> None:
    house = House(b"HTTP/1.1 429 Slowly\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n")
    assert house.step().due_at - house.rig.clock() == timedelta(seconds=600)


def test_after_a_day_it_is_over() -> None:
    house = House(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    house.step()
    house.pass_s(86_400)
    assert house.step().status == EXPIRED
    house.pass_s(86_400)
    assert house.step().attempts == 2


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "192.168.1.1", "::1"])
def test_no_address_leads_inward(address: str) -> None:
    house = House(address=address)
    told = house.step()
    assert (told.status, told.fault, house.wires.dialed) == (REFUSED, "not_allowed:address", [])


def test_the_operators_own_networks_are_reached() -> None:
    assert House(address="10.1.2.3").step().status == DELIVERED


def test_redirects_are_not_followed() -> None:
    house = House(b"HTTP/1.1 302 Elsewhere\r\nLocation: https://10.0.0.1/\r\nContent-Length: 0\r\n\r\n")
    assert (house.step().status, len(house.wires.dialed)) == (REFUSED, 1)


def test_without_a_secret_it_waits_for_one() -> None:
    house = House()
    house.book.secrets.clear()
    assert (house.step().status, house.wires.written) == (PENDING, b"")
    house.book.rotate("acme", SECRET)
    house.pass_s(5)
    assert house.step().status == DELIVERED


def test_an_address_that_is_gone_ends_what_waits() -> None:
    house = House(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    house.step()
    house.rig.clients.change("acme", lambda client: _with_webhook(client, None))
    house.pass_s(5)
    told = house.step()
    assert (told.status, told.fault) == (REFUSED, "no_address")


def test_a_replay_begins_another_day_with_the_first_pause() -> None:
    house = House(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    for _ in range(3):
        house.step()
        house.pass_s(7200)
    waits = house.step()
    house.pass_s(7200)
    assert waits.attempts == 4
    replayed = house.book.replay("acme", waits.webhook_id)
    assert replayed is not None
    assert (house.step().due_at - house.rig.clock()) == timedelta(seconds=5)


@pytest.fixture
def running() -> Callable[[House], tuple[threading.Thread, threading.Event]]:
    def start(house: House) -> tuple[threading.Thread, threading.Event]:
        stop = threading.Event()
        thread = threading.Thread(target=house.deliverer.run, args=(stop,))
        thread.start()
        return thread, stop

    return start


def test_its_thread_delivers_all_and_ends(
    running: Callable[[House], tuple[threading.Thread, threading.Event]],
) -> None:
    house = House()
    for _ in range(30):
        house.end("completed")
    thread, stop = running(house)
    try:
        eventually(lambda: len(house.book.page("acme", status=DELIVERED)) == 31)
    finally:
        stop.set()
        house.deliverer.wake()
        thread.join(10)
    assert not thread.is_alive()
    assert house.wires.written.count(b"POST ") == 31
