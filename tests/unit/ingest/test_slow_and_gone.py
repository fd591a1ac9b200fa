"""Clients that stall or vanish in the middle of an upload, spoken to in plain ASGI."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import ASGIApp, Message

from services.ingest.web.ports import UploadLimits
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
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    async def serve() -> None:
        await app(scope, receive, send)

    asyncio.run(serve())
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(body)


def body(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_client_that_vanishes_midway_leaves_nothing() -> None:
    rig = Rig()
    _, problem = post(rig.app(), rig.key, [body(wav()), body(wav()), {"type": "http.disconnect"}])
    assert problem["code"] == "client_gone"
    assert (rig.store.objects, rig.submissions.submissions) == ({}, {})


def test_a_client_that_vanishes_at_99_percent_of_a_form_leaves_nothing() -> None:
    rig = Rig()
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    messages: list[Message | None] = [body(head + wav()), {"type": "http.disconnect"}]
    _, problem = post(rig.app(), rig.key, messages, {"content-type": "multipart/form-data; boundary=B"})
    assert problem["code"] == "client_gone"
    assert (rig.store.objects, rig.submissions.submissions) == ({}, {})


def test_an_upload_that_rests_is_given_up() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=1_000_000, idle_s=0.02))
    assert post(rig.app(), rig.key, [body(wav()), None])[1]["code"] == "upload_timeout"
    assert rig.store.objects == {}


def test_an_upload_that_never_rests_but_never_ends_is_given_up() -> None:
    rig = Rig(limits=UploadLimits(max_audio_bytes=1_000_000, total_s=0.0))
    assert post(rig.app(), rig.key, [body(wav()), None])[0] == 408
    assert rig.store.objects == {}
