"""What names people is in no log, no status file, no metric and no event, whatever is done with their calls.

The whole stack at work on calls with known names and numbers: uploaded, listed, searched, fetched, refused, failed, erased.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

import httpx
import pytest

from pipeline.contracts.topics import topics
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaScanner
from pipeline.testing.waiting import eventually
from razgovor.demo import samples
from razgovor.embedded.testing import temporary_folder
from razgovor.stack import Stack, StackOptions
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.ingest.scopes import SCOPES
from services.transcriber.testing.tiny_whisper import build
from tests.unit.ingest.rig import wav

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: Each a word that stands nowhere else.
NAMES: Final = {
    "operator": "Пантелеймон Кшесинский",
    "customer_number": "+7 912 345-67-89",
    "queue": "очередь-имени-Водопьянова",
    "file_name": "звонок Евдокии Рюриковны.wav",
    "metadata": '{"абонент": "Аристарх Ижорский"}',
}
WORDS: Final = ("Пантелеймон", "Кшесинский", "345-67-89", "Водопьянова", "Рюриковны", "абонент", "Ижорский")
SERVICES: Final = ("ingest", "transcriber", "exporter", "ledger")
BROKEN: Final = b"RIFF\xff\xff\xff\xffWAVE" + bytes(5000)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """At work, and saying all that it can say."""
    with temporary_folder() as folder:
        build(folder / "model")
        options = StackOptions(
            fallback_root=folder / "fallback",
            environment={f"{service.upper()}_LOG_LEVEL": "DEBUG" for service in SERVICES},
        )
        with Stack(folder / "stack", model=str(folder / "model"), options=options) as running:
            yield running


def forms(word: str) -> set[bytes]:
    """A word as it may be written: as it is, escaped in JSON, in an address, in Latin-1 by mistake."""
    escaped = json.dumps(word).strip('"')
    return {text.encode() for text in (word, escaped, quote(word), quote_plus(word), word.encode().decode("latin-1"))}


def lives(client: httpx.Client) -> tuple[list[str], list[str]]:
    """Do all that can be done with calls; the jobs, and texts that were heard."""
    call = (samples.folder() / "bank.wav").read_bytes()
    fields = {name: text for name, text in NAMES.items() if name != "file_name"}
    jobs = [
        client.post("/v1/jobs", files={"file": (NAMES["file_name"], call)}, data=fields).json()["job_id"],
        client.post("/v1/jobs", content=wav(), params=NAMES).json()["job_id"],
        client.post("/v1/jobs", content=BROKEN, params=NAMES).json()["job_id"],
    ]
    refusals = (
        client.post("/v1/jobs", content=b"no recording", params=NAMES),
        client.post("/v1/jobs", content=wav(), params={**NAMES, "direction": NAMES["operator"]}),
        client.post("/v1/jobs", content=wav(), params={**NAMES, NAMES["operator"]: "x"}),
        client.post("/v1/jobs", content=b"", files={NAMES["operator"]: (NAMES["file_name"], wav())}),
        client.get(f"/v1/jobs/{NAMES['operator']}"),
        client.get("/v1/jobs", params={"state": NAMES["operator"]}),
        client.get(f"/{NAMES['operator']}"),
    )
    assert {answer.status_code for answer in refusals} <= {400, 404, 415, 422}
    for job in jobs:
        eventually(lambda: client.get(f"/v1/jobs/{job}").json()["state"] in {"completed", "failed"}, deadline_s=90)  # noqa: B023  called at once
    assert client.get(f"/v1/jobs/{jobs[2]}").json()["state"] == "failed"
    for name in ("operator", "q"):
        found = client.get("/v1/jobs", params={name: NAMES["operator"]}).json()["jobs"]
        assert len(found) == 3
    heard = [turn["text"] for turn in client.get(f"/v1/jobs/{jobs[0]}/transcript").json()["turns"]]
    for made in ("txt", "vtt", "xlsx"):
        assert client.get(f"/v1/jobs/{jobs[0]}/transcript", params={"format": made}).status_code == 200
    assert client.get(f"/v1/jobs/{jobs[0]}/audio").status_code == 200
    assert client.post(f"/v1/jobs/{jobs[2]}/requeue").status_code == 202
    assert client.post(f"/v1/jobs/{jobs[2]}/cancel").status_code in {202, 409}
    for job in jobs[:2]:
        assert client.delete(f"/v1/jobs/{job}").status_code == 202
        eventually(lambda: client.get(f"/v1/jobs/{job}").json()["erasure"]["erased_at"], deadline_s=60)  # noqa: B023  called at once
    return jobs, [text for text in heard if len(text) > 8]


def told(stack: Stack) -> dict[str, bytes]:
    """All that the stack said: by file, by address of metrics, and by place in a topic."""
    said = {
        str(path): path.read_bytes()
        for folder in (stack.folder.logs, stack.folder.run)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in {".log", ".json"}
    }
    said |= {one.metrics: httpx.get(one.metrics).content for one in stack.service_states() if one.metrics}
    scanner = KafkaScanner(KafkaConnection(bootstrap_servers=stack.bootstrap_servers))
    for message in scanner.scan(scanner.logs(list(topics()))):
        place = f"{message.topic}/{message.partition}/{message.offset}"
        headers = b" ".join(name.encode() + b"=" + value for name, value in message.headers)
        said[place] = b" ".join((message.key or b"", message.value or b"", headers))
    scanner.close()
    return said


def test_nothing_that_names_people_is_in_any_log_or_event(stack: Stack) -> None:
    key = create_key(stack.database_urls.ingest, Client(client_id="acme", name="Acme"), SCOPES)
    with httpx.Client(base_url=stack.ingest_url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        jobs, heard = lives(client)
    said = told(stack)
    logs = {Path(name).stem: text for name, text in said.items() if name.endswith(".log")}
    assert set(SERVICES) <= set(logs)
    assert b"request_id" in logs["ingest"]
    events = [text for name, text in said.items() if name.startswith(("audio.uploaded/", "job.status/"))]
    assert all(any(job.encode() in text for text in events) for job in jobs), "the search finds what is there"
    secret = key.split("_")[2]
    wanted = [form for word in (*WORDS, *heard, secret) for form in forms(word)]
    assert [(name, form.decode()) for name, text in said.items() for form in wanted if form in text] == []
