"""Clients that stall or vanish in the middle of an upload, spoken to in plain ASGI."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from pipeline.blobs.memory import MemoryStore
from services.ingest.web.ports import UploadLimits
from services.ingest.web.receive import FLUSH_BYTES
from tests.unit.ingest.rig import Rig, wav


def post(app: ASGIApp, key: str, messages: list[Message | None], headers: dict[str, str] | None = None) -> Any:
    """Post these messages (None: nothing comes any more); the status and body of the answer."""
    sent: list[Message] = []
    given = {"authorization": f"Bearer {key}", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/jobs",
        "raw_path": b"/v1/jobs",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }

    async def receive() -> Message:
        message = messages.pop(0) if messages else None
        if message is None:
            await asyncio.Event().wait()
        assert message is not None
        await asyncio.sleep(message.get("after_s", 0.0))
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    async def serve() -> None:
        await app(scope, receive, send)

    asyncio.run(serve())
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(body)


def body(data: bytes, *, more: bool = True, after_s: float = 0.0) -> Message:
    return {"type": "http.request", "body": data, "more_body": more, "after_s": after_s}


def test_a_client_that_vanishes_midway_leaves_nothing() -> None:
    rig = Rig()
    _, problem = post(rig.app(), rig.key, [body(wav()), body(wav()), {"type": "http.disconnect"}])
    assert problem["code"] == "client_gone"
    assert (rig.store.objects, rig.submissions.submissions) == ({}, {})


class CountingStore(MemoryStore):
    """Counts what was written to it, committed or not."""

    def __init__(self) -> None:
        super().__init__()
        self.written_bytes = 0

    @contextmanager
    def writer(self, key: str, *, media_type: str) -> Iterator[Any]:
        with super().writer(key, media_type=media_type) as writer:
            yield _Counted(self, writer)


class _Counted:
    def __init__(self, store: CountingStore, writer: Any) -> None:
        self._store = store
        self.commit, self.at_hand, self._write = writer.commit, writer.at_hand, writer.write

    def write(self, chunk: bytes) -> None:
        self._store.written_bytes += len(chunk)
        self._write(chunk)


@pytest.mark.parametrize("is_form", [False, True])
def test_a_client_that_vanishes_at_99_percent_leaves_nothing(*, is_form: bool) -> None:
    store = CountingStore()
    rig = Rig(store=store)
    sound = wav(bytes(6 * FLUSH_BYTES))
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' if is_form else b""
    sent = (head + sound)[: len(head + sound) * 99 // 100]
    pieces = [body(sent[at : at + 65_536]) for at in range(0, len(sent), 65_536)]
    headers = {"content-type": "multipart/form-data; boundary=B"} if is_form else {"content-length": str(len(sound))}
    _, problem = post(rig.app(), rig.key, [*pieces, {"type": "http.disconnect"}], headers)
    assert problem["code"] == "client_gone"
    assert store.written_bytes >= 5 * FLUSH_BYTES, "most of it had reached the store"
    assert (store.objects, rig.submissions.submissions) == ({}, {})


def test_an_upload_that_rests_is_given_up() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=1_000_000, idle_s=0.02))
    assert post(rig.app(), rig.key, [body(wav()), None])[1]["code"] == "upload_timeout"
    assert rig.store.objects == {}


def test_an_upload_that_trickles_is_given_up_long_before_it_ends() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=10**9, idle_s=0.05, min_bytes_per_s=1_000_000))
    trickle: list[Message | None] = [body(b"x", after_s=0.004) for _ in range(10_000)]
    status, problem = post(rig.app(), rig.key, [body(wav(b"")), *trickle])
    assert (status, problem["code"]) == (408, "upload_timeout")
    assert rig.store.objects == {}


def test_a_slow_upload_that_is_fast_enough_is_taken() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=1_000_000, idle_s=0.5, min_bytes_per_s=1000))
    pieces: list[Message | None] = [body(wav()[:2000]), *(body(b"\0" * 400, after_s=0.02) for _ in range(40))]
    assert post(rig.app(), rig.key, [*pieces, body(b"", more=False)])[0] == 202


def test_patience_grows_with_what_has_come() -> None:
    limits = UploadLimits(idle_s=30.0, min_bytes_per_s=1000)
    assert [limits.patience_s(received) for received in (0, 10_000)] == [30.0, 40.0]
    assert UploadLimits(min_bytes_per_s=0).patience_s(0) == math.inf


def test_an_upload_that_never_rests_but_never_ends_is_given_up() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=1_000_000, total_s=0.0))
    assert post(rig.app(), rig.key, [body(wav()), None])[0] == 408
    assert rig.store.objects == {}
