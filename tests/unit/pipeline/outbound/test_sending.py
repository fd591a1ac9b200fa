from __future__ import annotations

import pytest

from pipeline.outbound import Allowed, AnswerTooLarge, Bounds, Outbound, Unreachable, UrlNotAllowed
from tests.unit.pipeline.outbound.wires import Names, Wires

URL = "https://files.example/a.wav"
BOUNDS = Bounds(max_bytes=1000, total_s=60.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_a_request_goes_to_the_address_that_was_looked_at_and_tls_proves_the_name() -> None:
    names, wires = Names(["93.184.216.34"], ["127.0.0.1"]), Wires(OK)
    outbound = Outbound(Allowed(), resolve=names, dial=wires)
    with outbound.send("GET", URL, BOUNDS) as answer:
        assert (answer.status, answer.read()) == (200, b"hello")
    assert names.asked == ["files.example:443"]
    assert wires.dialed == ["93.184.216.34 443"]
    assert wires.proved == ["files.example"]
    assert wires.written.startswith(b"GET /a.wav HTTP/1.1\r\nHost: files.example\r\n")
    assert wires.closed


def test_a_name_that_answers_otherwise_the_next_time_is_judged_anew() -> None:
    wires = Wires(OK)
    outbound = Outbound(Allowed(), resolve=Names(["93.184.216.34"], ["127.0.0.1"]), dial=wires)
    with outbound.send("GET", URL, BOUNDS):
        pass
    with pytest.raises(UrlNotAllowed, match="address"), outbound.send("GET", URL, BOUNDS):
        pass
    assert wires.dialed == ["93.184.216.34 443"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1"])
def test_nothing_is_connected_to_an_address_that_is_not_public(address: str) -> None:
    wires = Wires(OK)
    outbound = Outbound(Allowed(), resolve=Names([address]), dial=wires)
    with pytest.raises(UrlNotAllowed, match="address"), outbound.send("GET", URL, BOUNDS):
        pass
    assert wires.dialed == []


def test_of_many_addresses_those_that_are_not_allowed_are_left_out_and_dead_ones_passed_over() -> None:
    wires = Wires(OK, dead=["93.184.216.34"])
    outbound = Outbound(Allowed(), resolve=Names(["10.0.0.1", "93.184.216.34", "93.184.216.35"]), dial=wires)
    with outbound.send("GET", URL, BOUNDS) as answer:
        assert answer.status == 200
    assert wires.dialed == ["93.184.216.34 443", "93.184.216.35 443"]


def test_where_nobody_answers_the_address_is_unreachable() -> None:
    outbound = Outbound(Allowed(), resolve=Names(["93.184.216.34"]), dial=Wires(dead=["93.184.216.34"]))
    with pytest.raises(Unreachable, match="connect"), outbound.send("GET", URL, BOUNDS):
        pass


def test_a_redirect_is_an_answer_and_nobody_follows_it() -> None:
    wires = Wires(b"HTTP/1.1 302 Found\r\nLocation: https://10.0.0.1/\r\nContent-Length: 0\r\n\r\n")
    with Outbound(Allowed(), resolve=Names(["93.184.216.34"]), dial=wires).send("GET", URL, BOUNDS) as answer:
        assert answer.status == 302
        assert answer.headers["location"] == "https://10.0.0.1/"
    assert wires.dialed == ["93.184.216.34 443"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n",
    ],
)
def test_more_bytes_than_asked_for_are_refused(answer: bytes) -> None:
    outbound = Outbound(Allowed(), resolve=Names(["93.184.216.34"]), dial=Wires(answer))
    with outbound.send("GET", URL, BOUNDS) as got, pytest.raises(AnswerTooLarge):
        got.read()


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    outbound = Outbound(Allowed(), resolve=Names(["93.184.216.34"]), dial=Wires(cut))
    with outbound.send("GET", URL, BOUNDS) as got, pytest.raises(Unreachable, match="protocol"):
        got.read()


@pytest.mark.parametrize("told", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000])
def test_what_speaks_no_http_is_unreachable(told: bytes) -> None:
    outbound = Outbound(Allowed(), resolve=Names(["93.184.216.34"]), dial=Wires(told))
    with pytest.raises(Unreachable, match="protocol"), outbound.send("GET", URL, BOUNDS):
        pass


def test_single_bytes_that_come_steadily_end_at_the_deadline() -> None:
    seconds = [0.0]

    def tick() -> None:
        seconds[0] += 10.0

    drip = Wires(*(bytes([byte]) for byte in OK), on_read=tick)
    outbound = Outbound(Allowed(), resolve=Names(["93.184.216.34"]), dial=drip, now_s=lambda: seconds[0])
    with pytest.raises(Unreachable, match="timeout"), outbound.send("GET", URL, BOUNDS):
        pass
    assert seconds[0] == 60.0


def test_a_body_is_sent_with_its_length_and_headers() -> None:
    wires = Wires(b"HTTP/1.1 204 No Content\r\n\r\n")
    allowed = Allowed(ports=frozenset({8443}))
    outbound = Outbound(allowed, resolve=Names(["2606:4700::1111"]), dial=wires)
    headers = {"Content-Type": "application/json"}
    url = "https://[2606:4700::1111]:8443/hook?x=1"
    with outbound.send("POST", url, BOUNDS, headers=headers, body=b"{}") as answer:
        assert answer.status == 204
    head, _, body = wires.written.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /hook?x=1 HTTP/1.1"
    assert b"Host: [2606:4700::1111]:8443" in head
    assert b"Content-Length: 2" in head
    assert b"Content-Type: application/json" in head
    assert body == b"{}"
