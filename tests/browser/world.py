"""An ingest of fakes behind a real port, for a real browser: what becomes of jobs is decided by the test."""

from __future__ import annotations

import io
import threading
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import uvicorn
from starlette.types import Receive, Scope, Send

from pipeline.audio import Outline, OutlineRequest
from pipeline.audio.outline import outline
from pipeline.contracts import layout
from pipeline.contracts.events import Timings
from pipeline.contracts.transcript import Channel, Provenance, Transcript, Turn, Word, sha256_hex
from pipeline.testing.waiting import eventually
from services.ingest import sessions
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.clients import Client
from services.ingest.jobs import Outcome, StoredObject
from tests.unit.ingest.rig import Rig

RATE_HZ: Final = 8000
#: A dialogue of twelve seconds: channel, start, end, text. One word is heard unsurely.
DIALOGUE: Final = (
    (0, 0.5, 2.5, "Здравствуйте, банк, меня зовут Анна"),
    (1, 3.0, 5.5, "Добрый день, я потерял карту"),
    (0, 6.0, 8.0, "Назовите, пожалуйста, фамилию"),
    (1, 8.5, 11.5, "Иванов, спасибо большое"),
)


def tones(duration_s: float = 12.0, loud: Sequence[tuple[int, float, float]] = ()) -> bytes:
    """A stereo WAV: a tone on a channel while somebody speaks there."""
    seconds = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    samples = np.zeros((len(seconds), 2), np.int16)
    for channel, start_s, end_s in loud:
        speaks = (seconds >= start_s) & (seconds < end_s)
        samples[speaks, channel] = (8000 * np.sin(2 * np.pi * (300 + 200 * channel) * seconds[speaks])).astype(np.int16)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def spoken(turns: Sequence[tuple[int, float, float, str]] = DIALOGUE) -> bytes:
    """The recording of a dialogue."""
    return tones(max(turn[2] for turn in turns) + 0.5, [turn[:3] for turn in turns])


def _share(text: str) -> float:
    """A number from 0 to 1 for a text: always the same, and as good as any."""
    return int(sha256_hex(text.encode())[:8], 16) / 2**32


def _turn(channel: int, roles: Sequence[str | None], start_s: float, end_s: float, text: str, unsure: float) -> Turn:
    texts = text.split()
    step_s = (end_s - start_s) / len(texts)
    words = tuple(
        Word(
            text=word,
            start_s=start_s + number * step_s,
            end_s=start_s + (number + 1) * step_s,
            confidence=0.3 if word == "фамилию" or _share(f"{start_s} {number}") < unsure else 0.95,
        )
        for number, word in enumerate(texts)
    )
    return Turn(
        channel=channel, role=roles[channel], start_s=start_s, end_s=end_s, text=text, confidence=0.9, words=words
    )


class World:
    """The application, its address, and what a test does behind its back."""

    def __init__(self) -> None:
        self.submissions = MemorySubmissions(self._clock)
        self.rig = Rig(submissions=self.submissions, draw=self._draw)
        self.rig.options["stream_poll_s"] = 0.05
        self.url = ""
        self._app = self.rig.app()
        self._accepted = 0

    def _clock(self) -> datetime:
        self._accepted += 1
        return datetime(2026, 1, 31, 11, self._accepted // 60, self._accepted % 60, tzinfo=UTC)

    @staticmethod
    def _draw(request: OutlineRequest) -> Outline:
        return outline(request)

    def restart(self) -> None:
        """Let changes of the rig count: the application asks it anew."""
        self._app = self.rig.app()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What answers."""
        await self._app(scope, receive, send)

    def link(self, key: str | None = None) -> str:
        """A one-time link into the page."""
        token, kept = sessions.new(self._token())
        assert self.rig.sessions.add_link((key or self.rig.key).split("_")[1], kept, sessions.LINK_LASTS)
        return sessions.link_url(self.url, token)

    def _token(self) -> bytes:
        self._accepted += 1
        return sha256_hex(str(self._accepted).encode())[:32].encode()

    def client(self, name: str, scopes: tuple[str, ...]) -> str:
        """The key of another client."""
        return self.rig.add_client(Client(client_id=name, name=name.capitalize()), scopes)

    def submitted(self, name: str, recording: bytes | None = None, key: str = "", **fields: str) -> str:
        """The id of an accepted call."""
        answer = self.rig.http(key).post(
            "/v1/jobs", files={"file": (name, recording or spoken())}, data={"channels": "operator,customer", **fields}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def becomes(self, job_id: str, state: str, reason: str | None = None, **details: str) -> None:
        """Let the ledger say this of a job."""
        self.submissions.outcomes[job_id] = Outcome(run=1, state=state, reason=reason, details=details)

    def expires(self, job_id: str, *, audio: datetime | None = None, transcript: datetime | None = None) -> None:
        """Let the recording, the transcript or both be kept no longer since then."""
        outcome = self.submissions.outcomes[job_id]
        expired = replace(outcome, audio_expired_at=audio, transcript_expired_at=transcript)
        self.submissions.outcomes[job_id] = expired

    def completes(
        self,
        job_id: str,
        turns: Sequence[tuple[int, float, float, str]] = DIALOGUE,
        roles: Sequence[str | None] = ("operator", "customer"),
        *,
        unsure: float = 0.0,
    ) -> None:
        """Let a job's dialogue be this; such a share of its words were heard unsurely, and «фамилию» always."""
        duration_s = max((turn[2] for turn in turns), default=0.0) + 0.5
        transcript = Transcript(
            job_id=job_id,
            run=1,
            call_id=job_id,
            client="acme",
            language="ru",
            channel_mode="stereo",
            duration_s=duration_s,
            partial=False,
            warnings=(),
            channels=tuple(Channel(index=index, role=role, speech_s=4.0) for index, role in enumerate(roles)),
            turns=tuple(_turn(channel, roles, start, end, text, unsure) for channel, start, end, text in turns),
            suppressed=(),
            timings=Timings(queue_wait_ms=1, decode_ms=1, vad_ms=1, engine_ms=1),
            provenance=Provenance(audio_sha256="0" * 64, engine="e", model="m", model_sha256="0" * 64, parameters={}),
        )
        artefacts = {
            name: self._kept(job_id, f"call.{name}", f"{name} of the call".encode())
            for name in ("txt", "vtt", "srt", "xlsx")
        }
        self.submissions.outcomes[job_id] = Outcome(
            run=1,
            state="completed",
            channel_mode="stereo",
            channels=2,
            duration_ms=round(duration_s * 1000),
            speech_ms=8000,
            words=len(transcript.words),
            turns=len(turns),
            confidence=0.93,
            finished_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
            transcript=self._kept(job_id, layout.TRANSCRIPT_NAME, transcript.to_bytes()),
            artefacts=artefacts,
        )

    def _kept(self, job_id: str, name: str, data: bytes) -> StoredObject:
        key = f"{layout.run_prefix(job_id, 1)}{'0' * 64}/{name}"
        self.rig.store.put(key, data, media_type="application/octet-stream")
        return StoredObject(key=key, sha256=sha256_hex(data), size_bytes=len(data))


@contextmanager
def served(world: World) -> Iterator[World]:
    """The world behind a port of this machine's own."""
    config = uvicorn.Config(
        world.app,
        interface="asgi3",
        proxy_headers=False,
        port=0,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, deadline_s=20)
        port = server.servers[0].sockets[0].getsockname()[1]
        world.url = f"http://127.0.0.1:{port}/"
        yield world
    finally:
        server.should_exit = True
        thread.join(10)
