"""The transcriber's own handler over files of this machine: real front end, real engine, no broker and no store.

For whoever measures: `razgovor eval`, `razgovor transcriber tune`, `bench/transcriber.py`. What they measure is what the
service does with an event, several calls in flight as its runner keeps them.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Final

from pipeline.blobs.folder import FolderStore
from pipeline.contracts import ids, layout
from pipeline.contracts.events import AudioObject, AudioUploaded, JobStatus
from pipeline.contracts.glossary import Glossary
from pipeline.contracts.transcript import Transcript
from pipeline.errors import CallFault, Postponed
from services.transcriber.__main__ import IN_FLIGHT_BATCHES, Children, started_children
from services.transcriber.batching import Nobody, Watch
from services.transcriber.domain.result import EngineFacts
from services.transcriber.handler import handle
from services.transcriber.ports import Ports
from services.transcriber.settings import TranscriberSettings

ROLES: Final = ("operator", "customer")
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CLIENT: Final = "local"
_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of one recording.

    Attributes:
        path: The recording.
        call: Its name in windows, as job id.
        transcript: None where it failed.
        reason: Why it failed; None where it did not.
        took_s: From its pick-up to its end.
    """

    path: Path
    call: str
    transcript: Transcript | None
    reason: str | None
    took_s: float


class LocalTranscriber:
    """Transcribes files, several at once. Made by `local_transcriber`."""

    def __init__(self, store_folder: Path, ports: Ports, in_flight: int, glossary_id: str | None = None) -> None:
        self._glossary_id = glossary_id
        self._store_folder = store_folder
        self._ports = ports
        self._in_flight = in_flight

    @property
    def facts(self) -> EngineFacts:
        """What hears: its model, and with which parameters."""
        return self._ports.engine.facts

    def telling(self, glossary: Glossary) -> LocalTranscriber:
        """The same, which tells the engine a glossary, whether it was checked or not."""
        glossary_id = glossary.glossary_id
        facts = self.facts
        check = layout.glossary_check_key(_CLIENT, glossary_id, facts.model_sha256, facts.parameters_sha256)
        for key, data in ((layout.glossary_key(_CLIENT, glossary_id), glossary.to_bytes()), (check, b"{}")):
            self._ports.store.put(key, data, media_type="application/json")
        return LocalTranscriber(self._store_folder, self._ports, self._in_flight, glossary_id)

    @property
    def engine(self) -> str:
        """Name and version of what hears."""
        return self.facts.engine

    def hear(self, recordings: Iterable[Path], *, language: str = "ru") -> Iterator[Heard]:
        """Each recording as it is done, in any order."""
        with ThreadPoolExecutor(self._in_flight) as pool:
            waiting = iter(recordings)
            running: set[Future[Heard]] = set()
            while True:
                # One more than can run: a month of recordings is never submitted whole.
                while len(running) <= self._in_flight and (recording := next(waiting, None)) is not None:
                    running.add(pool.submit(self._hear, recording, language))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)

    def _hear(self, recording: Path, language: str) -> Heard:
        begun_s = monotonic()
        event = self._event(recording, language)
        transcript, reason = self._outcome(event)
        took_s = monotonic() - begun_s
        return Heard(path=recording, call=event.job_id, transcript=transcript, reason=reason, took_s=took_s)

    def _outcome(self, event: AudioUploaded) -> tuple[Transcript | None, str | None]:
        try:
            outcome = handle(event, _EPOCH, self._ports)
        except CallFault as fault:
            return None, fault.reason
        except Postponed:  # the engine died, and nobody will try again
            return None, "engine_failed"
        if outcome.effects:
            return Transcript.from_bytes(outcome.effects[0].data), None
        return None, next((told.reason for told in outcome.events if isinstance(told, JobStatus)), None)

    def _event(self, recording: Path, language: str) -> AudioUploaded:
        name = f"call-{next(_NUMBERS)}"
        key = layout.audio_key(name)
        # The store is a folder, so a link is an object: recordings are neither copied nor read twice.
        link = self._store_folder / key
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(recording.absolute())
        with recording.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return AudioUploaded(
            event_id=ids.event_id(name, 1, AudioUploaded.TOPIC),
            job_id=name,
            run=1,
            client_id=_CLIENT,
            call_id=name,
            accepted_at=_EPOCH,
            priority="normal",
            audio=AudioObject(key=key, sha256=sha256, size_bytes=recording.stat().st_size, media_type="audio/wav"),
            channel_roles=ROLES,
            language=language,
            locale="ru",
            formats=(),
            glossary_id=self._glossary_id,
        )


def settings(**chosen: Any) -> TranscriberSettings:
    """The transcriber's settings from the environment, with these in their place; peers are never reached."""
    nowhere: Mapping[str, Any] = {"bootstrap_servers": "127.0.0.1:1", "store_url": "file:///nonexistent"}
    return TranscriberSettings(**{**nowhere, **{name: value for name, value in chosen.items() if value is not None}})


@contextmanager
def local_transcriber(
    chosen: TranscriberSettings, *, children: Children = started_children, watch: Watch | None = None
) -> Iterator[LocalTranscriber]:
    """Front end and engine, started and warm, for as long as the context lasts; `watch` is told what batches do.

    Raises:
        Fatal: The model cannot be loaded.
        ChildError: A child died over its start.
    """
    in_flight = chosen.max_in_flight or IN_FLIGHT_BATCHES * chosen.batch_size
    with (
        TemporaryDirectory(prefix="razgovor-local-", dir=chosen.scratch_dir) as name,
        children(chosen, lambda _call: None, watch or Nobody()) as (front_end, engine),
    ):
        folder = Path(name)
        yield LocalTranscriber(folder, Ports(FolderStore(folder), front_end, engine), in_flight)
