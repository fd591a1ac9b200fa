"""The HTTP fault proxy before a small object server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.testing.waiting import eventually
from razgovor.chaos.proxies import HttpProxy, ProxyProcess
from razgovor.chaos.proxies.faults import (
    Error,
    FlippedByte,
    HalfBody,
    HalfUpload,
    Hang,
    HttpRule,
    ListLate,
    Reset,
    Twice,
)
from razgovor.chaos.proxies.process import ProxyFailed
from tests.integration.razgovor.chaos.servers import ObjectsServer, served

KEY = "/bucket/jobs/1/audio"


@pytest.fixture
def objects() -> Iterator[ObjectsServer]:
    server = ObjectsServer()
    with served(server):
        yield server


@pytest.fixture
def proxy(objects: ObjectsServer) -> Iterator[HttpProxy]:
    with HttpProxy(f"127.0.0.1:{objects.server_port}", seed=7) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: HttpProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{proxy.address}", timeout=5.0) as client:
        yield client


def test_it_passes_what_it_is_not_told_to_break(client: httpx.Client, proxy: HttpProxy) -> None:
    body = bytes(300_000)
    assert client.put(KEY, content=body, headers={"Expect": "100-continue"}).status_code == 200
    assert client.get(KEY).content == body
    assert client.get("/bucket/none").status_code == 404
    assert proxy.befallen == {"passed": 3}


def test_an_error_may_come_without_or_after_the_effect(
    client: httpx.Client, proxy: HttpProxy, objects: ObjectsServer
) -> None:
    proxy.set(HttpRule(fault=Error(status=503, code="SlowDown"), times=1), HttpRule(fault=Error(after_effect=True)))
    answer = client.put(KEY, content=b"a")
    assert (answer.status_code, objects.puts) == (503, [])
    assert "<Code>SlowDown</Code>" in answer.text
    assert (client.put(KEY, content=b"a").status_code, objects.puts) == (500, [KEY])


@pytest.mark.parametrize(("fault", "puts"), [(Reset(), 0), (Reset(after_effect=True), 1), (HalfUpload(), 0)])
def test_a_connection_is_reset_without_or_after_the_effect(
    client: httpx.Client, proxy: HttpProxy, objects: ObjectsServer, fault: Reset | HalfUpload, puts: int
) -> None:
    proxy.set(HttpRule(fault=fault))
    with pytest.raises(httpx.TransportError):
        client.put(KEY, content=b"ab")
    assert len(objects.puts) == puts


def test_a_hung_request_gets_no_answer(client: httpx.Client, proxy: HttpProxy) -> None:
    proxy.set(HttpRule(fault=Hang()))
    with pytest.raises(httpx.ReadTimeout):
        client.get(KEY, timeout=0.2)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_half_a_body_is_less_than_its_length(
    client: httpx.Client, proxy: HttpProxy, objects: ObjectsServer, end: str
) -> None:
    objects.objects[KEY] = b"0123456789"
    proxy.set(HttpRule.model_validate({"fault": {"kind": "half_body", "end": end}}))
    with pytest.raises(httpx.TransportError):
        client.get(KEY)


def test_a_flipped_byte_keeps_the_length(client: httpx.Client, proxy: HttpProxy, objects: ObjectsServer) -> None:
    objects.objects[KEY] = b"0123"
    proxy.set(HttpRule(fault=FlippedByte()))
    assert client.get(KEY).content == b"0122"


def test_a_late_listing_leaves_young_keys_out(client: httpx.Client, proxy: HttpProxy, objects: ObjectsServer) -> None:
    objects.objects["/bucket/old"] = b"x"
    client.put(KEY, content=b"a")
    proxy.set(HttpRule(fault=ListLate(lag_s=3600)))
    listed = client.get("/bucket?list-type=2").text
    assert "<Key>old</Key>" in listed
    assert "<KeyCount>1</KeyCount>" in listed
    proxy.set(HttpRule(fault=ListLate(lag_s=0.0001)))
    assert "<KeyCount>2</KeyCount>" in client.get("/bucket?list-type=2").text


@pytest.mark.parametrize("answered", [False, True])
def test_a_put_is_carried_out_twice(
    client: httpx.Client, proxy: HttpProxy, objects: ObjectsServer, *, answered: bool
) -> None:
    proxy.set(HttpRule(fault=Twice(answered=answered), methods=frozenset({"PUT"})))
    assert client.put(KEY, content=b"a").status_code == 200
    assert eventually(lambda: objects.puts == [KEY, KEY])


def test_rules_choose_by_method_target_share_and_count(client: httpx.Client, proxy: HttpProxy) -> None:
    proxy.set(HttpRule(fault=Error(), methods=frozenset({"GET"}), target="/audio$", skip=1, times=2))
    assert client.put(KEY, content=b"a").status_code == 200
    assert client.get("/bucket/other").status_code == 404
    assert [client.get(KEY).status_code for _ in range(4)] == [200, 500, 500, 200]
    proxy.set(HttpRule(fault=Error(), share=0.5))
    drawn = [client.get(KEY).status_code for _ in range(40)]
    assert set(drawn) == {200, 500}
    proxy.set(HttpRule(fault=Error(), share=0.5))
    assert [client.get(KEY).status_code for _ in range(40)] == drawn


def test_a_proxy_in_its_own_process_follows_its_orders(objects: ObjectsServer, tmp_path: Path) -> None:
    with ProxyProcess("http", f"127.0.0.1:{objects.server_port}", tmp_path / "proxy", seed=7) as proxy:
        url = f"http://{proxy.address}{KEY}"
        assert httpx.put(url, content=b"a").status_code == 200
        proxy.set(HttpRule(fault=HalfBody(end="close")))
        with pytest.raises(httpx.TransportError):
            httpx.get(url)
        proxy.set()
        assert httpx.get(url).content == b"a"
        assert eventually(lambda: proxy.befallen() == {"passed": 2, "half_body": 1})


def test_a_proxy_takes_no_orders_of_another_kind(objects: ObjectsServer, tmp_path: Path) -> None:
    with (
        ProxyProcess("tcp", f"127.0.0.1:{objects.server_port}", tmp_path / "proxy") as proxy,
        pytest.raises(ProxyFailed),
    ):
        proxy.set(HttpRule(fault=Error()))
