"""Our arm through Kafka: the whole stack, as a client meets it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench.transcriber.arms import Platform
from pipeline.contracts.transcript import Transcript
from razgovor.cache import cache_folder
from razgovor.client import IngestClient
from razgovor.embedded.account import server_account
from razgovor.embedded.postgres_place import home_mode
from razgovor.stack.specs import Broker, StackOptions
from razgovor.stack.stack import Stack
from razgovor.transcription.recordings import Recording, sha256_of
from razgovor.transcription.session import Session, Wanted
from services.ingest.admin import create_key
from services.ingest.clients import Client

_CLIENT = "bench"
_PREFIX = "TRANSCRIBER_"


class ThroughKafka:
    """Uploaded by REST, announced, transcribed, exported, recorded, fetched: what a client waits for.

    Args:
        platform: What runs.
        broker: `mock` (librdkafka's own) or `kafka` (a real one).
    """

    def __init__(self, platform: Platform, broker: Broker) -> None:
        self._open = ExitStack()
        self._folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="razgovor-bench-")))
        # As root the database runs as another account, which must be able to pass through this folder of ours.
        self._folder.chmod(home_mode(server_account()))
        told = {f"{_PREFIX}{name.upper()}": str(value) for name, value in platform.told.items()}
        environment = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)} | told
        stack: AbstractContextManager[Stack] = Stack(
            self._folder / "stack",
            model_cache=cache_folder(os.environ),
            temporary=True,
            options=StackOptions(broker=broker, environment=environment),
        )
        self._stack = self._open.enter_context(stack)
        key = create_key(self._stack.database_urls.ingest, Client(client_id=_CLIENT, name=_CLIENT))
        self._client = self._open.enter_context(IngestClient.connect(self._stack.ingest_url, key))

    def hear(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Transcript]]:
        """Each recording as it is done."""
        out = self._folder / "out"
        out.mkdir(exist_ok=True)
        named = {str(number): path for number, path in enumerate(paths)}
        recordings = [(Recording(path, name, name), sha256_of(path)) for name, path in named.items()]
        session = Session(self._client, out, Wanted(formats=("txt",)), lambda _recording, _state: None)
        for row in session.run(recordings):
            if "json" not in row.artefacts:
                raise SystemExit(f"{named[row.file].name}: {row.state} {row.reason or ''}")
            yield named[row.file], Transcript.from_bytes((out / row.artefacts["json"]).read_bytes())

    def close(self) -> None:
        """End the stack."""
        self._open.close()
