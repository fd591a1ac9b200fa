"""What accepting an upload costs: POST /v1/jobs of a 20 KB WAV by 16 clients side by side, over PostgreSQL and a store.

    python bench/accept.py                                    # a folder as the store
    python bench/accept.py --store 's3://bucket?endpoint=...' # with INGEST_STORE_ACCESS_KEY and INGEST_STORE_SECRET_KEY set

Requests a second, and the CPU seconds that each process spends on a job: ingest, the children that read headers,
PostgreSQL. The relay announces to the mock broker beside it. The clients take their share of the machine too; so does
whatever else runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil
from rich.console import Console
from rich.table import Table

from pipeline.stream.kafka_mock import MockCluster
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_postgres
from razgovor.embedded.waiting import until
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.ledger.adapters.postgres import PostgresLedger

OUT: Final = Path(__file__).parent / "out" / "accept.json"
SAMPLE_RATE_HZ: Final = 8_000
AUDIO_BYTES: Final = 20_000
ACCEPTED: Final = b"HTTP/1.1 202"


def wav(data_bytes: int) -> bytes:
    """A mono 16-bit recording of noise."""
    data = os.urandom(data_bytes)
    rate = SAMPLE_RATE_HZ.to_bytes(4, "little")
    form = b"fmt \x10\0\0\0\x01\0\x01\0" + rate + (SAMPLE_RATE_HZ * 2).to_bytes(4, "little") + b"\x02\0\x10\0"
    body = b"WAVE" + form + b"data" + data_bytes.to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def prepared(server: EmbeddedPostgres) -> tuple[DatabaseUrls, str]:
    """A database with both schemas, and a key that may submit."""
    urls = server.create_database("bench")
    ledger = PostgresLedger(urls.ledger)
    ledger.migrate()
    ledger.close()
    return urls, create_key(urls.ingest, Client(client_id="bench", name="Bench"))


@contextmanager
def served(
    folder: Path, name: str, command: Sequence[str], environment: Mapping[str, str]
) -> Iterator[tuple[psutil.Process, str]]:
    """A running module that writes its address into `<name>.json` of the folder; it and its address."""
    status = folder / f"{name}.json"
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stderr=log
        )
    try:
        until(lambda: status.exists() and "address" in status.read_text(), 60, f"{name} does not start")
        yield psutil.Process(process.pid), str(json.loads(status.read_text())["address"])
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def ingest(
    folder: Path, database_url: str, broker: str, store_url: str, store_user: Mapping[str, str] | None = None
) -> Iterator[tuple[psutil.Process, str]]:
    """A running ingest and its address."""
    environment = {
        **(store_user or {}),
        "INGEST_PORT": "0",
        "INGEST_BOOTSTRAP_SERVERS": broker,
        "INGEST_STORE_URL": store_url,
        "INGEST_STATUS_FILE": str(folder / "ingest.json"),
        "INGEST_DATABASE_URL": database_url,
    }
    with served(folder, "ingest", ["services.ingest"], environment) as found:
        yield found


def request(url: str, key: str, audio_bytes: int) -> bytes:
    """A raw upload of noise."""
    data = wav(audio_bytes)
    head = (
        "POST /v1/jobs?priority=bulk&call_id=bench HTTP/1.1\r\n"
        f"Host: {urlsplit(url).netloc}\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to whoever listens there."""
    address = urlsplit(url)
    return await asyncio.open_connection(address.hostname, address.port)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> float:
    """Seconds from the first byte of a request to the last one of its answer."""
    began_s = time.monotonic()
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(ACCEPTED):
        raise SystemExit(f"not accepted: {head.splitlines()[0].decode()}")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(int(length.split(b":")[1]))
    return time.monotonic() - began_s


async def side_by_side(url: str, data: bytes, callers: int, more: Callable[[int], bool]) -> list[float]:
    """Seconds of every upload by so many callers, each on one connection, as long as `more` of the number done says so."""
    took_s: list[float] = []

    async def caller() -> None:
        reader, writer = await connect(url)
        while more(len(took_s)):
            took_s.append(await ask(reader, writer, data))
        writer.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(caller())
    return took_s


async def load(url: str, key: str, clients: int, duration_s: float) -> int:
    """Post with so many clients for so long; how many were accepted."""
    ends_at_s = time.monotonic() + duration_s
    data = request(url, key, AUDIO_BYTES)
    return len(await side_by_side(url, data, clients, lambda _done: time.monotonic() < ends_at_s))


def cpu_s(*processes: psutil.Process) -> float:
    """CPU seconds that processes and their ended children spent."""
    total = 0.0
    for process in processes:
        spent = process.cpu_times()
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def main() -> None:
    """Run, print the table, write bench/out/accept.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--store", help="its address; none: a folder")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, temporary_postgres() as database, MockCluster() as broker:
        folder = Path(name)
        broker.create_topic("audio.uploaded")
        urls, key = prepared(database)
        store_url = told.store or (folder / "store").as_uri()
        with ingest(folder, urls.ingest, broker.address, store_url) as (process, url):
            asyncio.run(load(url, key, told.clients, 2.0))  # children and connections are there now
            children = process.children(recursive=True)
            server = psutil.Process(database.server_pid or 0)
            servers = [server, *server.children()]
            groups = {
                "ingest": [process],
                "probe": children,
                "postgres": servers,
                "clients and broker": [psutil.Process()],
            }
            before = {group: cpu_s(*found) for group, found in groups.items()}
            started_s = time.monotonic()
            jobs = asyncio.run(load(url, key, told.clients, told.seconds))
            took_s = time.monotonic() - started_s
            spent = {group: cpu_s(*found) - before[group] for group, found in groups.items()}
    table = Table("", "")
    table.add_row("jobs/s", f"{jobs / took_s:.0f}")
    for group, seconds in spent.items():
        table.add_row(f"{group}, CPU ms a job", f"{seconds / jobs * 1000:.2f}")
    Console().print(table)
    OUT.parent.mkdir(exist_ok=True)
    facts = {"jobs_per_s": jobs / took_s, "cpu_ms_per_job": {group: s / jobs * 1000 for group, s in spent.items()}}
    OUT.write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
