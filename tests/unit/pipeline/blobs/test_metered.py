from __future__ import annotations

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.blobs.metered import MeteredStore
from pipeline.blobs.ports import BlobNotFound
from pipeline.errors import Transient
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics


class Away(MemoryStore):
    def put(self, key: str, data: bytes, *, media_type: str) -> None:  # noqa: ARG002  the port's signature
        raise Transient("the store does not answer")


def calls(metrics: Metrics, operation: str, outcome: str = "ok") -> float | None:
    return metrics.value(families.PEER_CALLS, "_count", peer="store", operation=operation, outcome=outcome)


def test_it_is_the_store_it_stands_before_and_counts_each_call() -> None:
    inner, metrics = MemoryStore(), Metrics()
    store = MeteredStore(inner, metrics)
    store.put("a", b"1", media_type="text/plain")
    with store.writer("b", media_type="text/plain") as writer:
        writer.write(b"2")
        writer.write(b"3")
        with writer.at_hand() as path:
            assert path is not None
            assert path.read_bytes() == b"23"
        writer.commit()
    assert inner.objects == {"a": b"1", "b": b"23"}
    assert store.read("a") == b"1"
    with store.open("b") as stream:
        assert stream.read() == b"23"
    with store.local_path("b") as path:
        assert path.read_bytes() == b"23"
    info = store.stat("b")
    assert info is not None
    assert info.size_bytes == 2
    assert [blob.key for blob in store.list("")] == ["a", "b"]
    store.delete("a")
    store.verify()
    assert list(inner.objects) == ["b"]
    counted = {name: calls(metrics, name) for name in ("put", "write", "commit", "read", "open", "fetch", "stat")}
    assert counted == {"put": 1, "write": 2, "commit": 1, "read": 1, "open": 1, "fetch": 1, "stat": 1}
    assert calls(metrics, "delete") == 1
    assert calls(metrics, "verify") == 1


def test_no_such_object_is_an_answer() -> None:
    metrics = Metrics()
    store = MeteredStore(MemoryStore(), metrics)
    with pytest.raises(BlobNotFound):
        store.read("a")
    with pytest.raises(BlobNotFound), store.open("a"):
        pass
    assert (calls(metrics, "read"), calls(metrics, "open")) == (1, 1)


def test_a_store_that_does_not_answer_is_counted_as_that() -> None:
    metrics = Metrics()
    with pytest.raises(Transient):
        MeteredStore(Away(), metrics).put("a", b"", media_type="text/plain")
    assert (calls(metrics, "put"), calls(metrics, "put", "transient")) == (None, 1)


def test_what_its_user_does_with_a_stream_is_not_the_store_s() -> None:
    metrics, inner = Metrics(), MemoryStore()
    inner.put("a", b"1", media_type="text/plain")
    with pytest.raises(ZeroDivisionError), MeteredStore(inner, metrics).open("a"):
        raise ZeroDivisionError
    assert (calls(metrics, "open"), calls(metrics, "open", "failed")) == (1, None)
