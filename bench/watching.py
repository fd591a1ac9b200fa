"""What watching costs a recording, against accepting the same recordings without it; and what a look over recordings costs that were seen.

    python bench/watching.py                      # 1,000 recordings of 100 KB, five rounds
    python bench/watching.py --files 10000 --rounds 1

Over PostgreSQL, folders as source and store, and a probe that knows the answer, so that what is compared is ours. Each round does both, in turn, in
one process; the ratio is of the round. Three figures a round: recordings a second that are taken, the same without watching, and microseconds for
each recording that is passed by at a later look. Memory: what the process grew by over all rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pipeline.audio import Probe, sniff
from pipeline.blobs.folder import FolderStore
from pipeline.telemetry import logs
from pipeline.telemetry.metrics import Metrics
from razgovor.embedded.testing import temporary_postgres
from services.ingest import acceptance
from services.ingest.adapters.folder_source import FolderSource
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresRates,
    PostgresSeenFiles,
    PostgresSubmissions,
    migrate,
)
from services.ingest.clients import Client
from services.ingest.fields import CallFields
from services.ingest.rates import RateLimiter
from services.ingest.upload import Upload
from services.ingest.watching.builtin import BUILTIN
from services.ingest.watching.ports import Owner
from services.ingest.watching.taking import Taker
from services.ingest.watching.watch import Door, Watch
from services.ingest.watching.watcher import Watcher

OUT: Final = Path(__file__).parent / "out" / "watching.json"
CLIENT: Final = Client(client_id="bench", name="Bench")
CHUNK_BYTES: Final = 1 << 18
KNOWN: Final = Probe(media_type="audio/wav", declared_duration_ms=6000, sample_rate_hz=8000, channels=2)


def wav(data_bytes: int) -> bytes:
    """A stereo 16-bit recording of noise."""
    form = (
        b"fmt \x10\0\0\0\x01\0\x02\0" + (8000).to_bytes(4, "little") + (32_000).to_bytes(4, "little") + b"\x04\0\x10\0"
    )
    body = b"WAVE" + form + b"data" + data_bytes.to_bytes(4, "little") + os.urandom(data_bytes)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def fill(folder: Path, files: int, data_bytes: int) -> list[Path]:
    """So many recordings, a folder a minute, as a PBX leaves them."""
    paths = []
    for number in range(files):
        minute = folder / f"{number // 40:04}"
        minute.mkdir(parents=True, exist_ok=True)
        paths.append(minute / f"in-101-79160000000-20260131-140512-{number}.wav")
        paths[-1].write_bytes(wav(data_bytes))
    return paths


def door(store: FolderStore, database: Database) -> Door:
    """The door of uploads, over a probe that knows."""
    return Door(
        store=store,
        acceptance=acceptance.Acceptance(store, PostgresSubmissions(database), lambda _path: KNOWN, lambda: None),
        rates=RateLimiter(PostgresRates(database), time.monotonic),
        sniff=sniff,
        new_id=lambda: str(uuid.uuid4()),
        max_audio_bytes=1 << 30,
    )


def bare(entry: Door, paths: list[Path]) -> None:
    """Accept each file, read in chunks: what an upload does once its bytes are there."""
    for number, path in enumerate(paths):
        upload = Upload(entry.store, entry.new_id(), entry.sniff, entry.max_audio_bytes)
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK_BYTES):
                upload.write(chunk)
        upload.finish()
        key = f"bare:{path.parent.parent.name}:{number}"
        wanted = acceptance.Request(
            client=CLIENT, fields=CallFields(call_id=str(number)), file_name=path.name, idempotency_key=key
        )
        entry.acceptance.accept(upload, wanted)
        upload.close()


def watcher(entry: Door, database: Database, folder: Path) -> Watcher:
    """A watcher over a folder."""
    watch = Watch(owner=Owner(watcher=folder.name, client_id=CLIENT.client_id), patterns=BUILTIN["asterisk"])
    seen, metrics = PostgresSeenFiles(database), Metrics()
    taker = Taker(watch, entry, seen, None, metrics)
    clients = PostgresClients(database)
    return Watcher(watch, FolderSource(folder), taker, seen, clients, now=lambda: datetime.now(UTC), metrics=metrics)


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def measured(name: str, told: argparse.Namespace, base: Path, database: Database) -> dict[str, float]:
    """One round; which goes first changes from round to round."""
    entry = door(FolderStore(base / f"store-{name}"), database)
    watched = base / f"watched-{name}"
    paths = fill(watched, told.files, told.bytes)
    others = fill(base / f"bare-{name}", told.files, told.bytes)
    looking, stop = watcher(entry, database, watched), threading.Event()
    looking.look(stop)
    works = {"bare": lambda: bare(entry, others), "watched": lambda: looking.look(stop)}
    spent = {kind: timed(works[kind]) for kind in sorted(works, reverse=int(name) % 2 == 0)}
    passed_s = timed(lambda: looking.look(stop))
    count = len(paths)
    return {
        "taken_per_s": count / spent["watched"],
        "bare_per_s": count / spent["bare"],
        "ratio": spent["bare"] / spent["watched"],
        "passed_us": passed_s / count * 1_000_000,
    }


def main() -> None:
    """Run, print the table, write bench/out/watching.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    logs.configure("bench", "WARNING")
    with tempfile.TemporaryDirectory() as name, temporary_postgres() as server:
        urls = server.create_database("bench")
        migrate(urls.ingest)
        database = Database(urls.ingest, max_connections=4)
        database.open()
        PostgresClients(database).create(CLIENT)
        measured("0", argparse.Namespace(files=50, bytes=told.bytes), Path(name), database)  # everything is loaded now
        before_bytes = psutil.Process().memory_info().rss
        numbers = [str(number) for number in range(1, told.rounds + 1)]
        rounds = [measured(number, told, Path(name), database) for number in track(numbers)]
        grown_mib = (psutil.Process().memory_info().rss - before_bytes) / 2**20
        database.close()
    facts = {kind: statistics.median(one[kind] for one in rounds) for kind in rounds[0]} | {"grown_mib": grown_mib}
    table = Table("", "median", "of the rounds")
    for kind in rounds[0]:
        table.add_row(kind, f"{facts[kind]:.2f}", " ".join(f"{one[kind]:.2f}" for one in rounds))
    table.add_row("grown_mib", f"{grown_mib:.1f}", f"over {told.rounds} x {told.files} recordings")
    Console().print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"rounds": rounds, "median": facts}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
