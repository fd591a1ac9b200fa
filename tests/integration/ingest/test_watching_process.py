"""A folder watched by ingest's own process, over PostgreSQL and a store, as an operator sets it up."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from tests.integration.ingest.kafka_world import Reader
from tests.integration.ingest.process import IngestProcess, running
from tests.lacking import needs_root, skip_or_fail
from tests.unit.ingest.rig import wav

IN = "in-101-79160000000-20260131-140512-1769857512.42.wav"
OUT = "out-79161111111-102-20260131-140600-1769857560.43.wav"


def sound(number: int) -> bytes:
    return wav(number.to_bytes(2, "little") * 16_000)


class House:
    """A watched folder, and the ingest that watches it."""

    def __init__(self, folder: Path, urls: DatabaseUrls, broker: MockCluster, key: str) -> None:
        self.folder = folder
        self.source = folder / "monitor"
        self.source.mkdir()
        self._urls = urls
        self._broker = broker
        self._key = key
        self.watch_file = folder / "watch.toml"
        self.write()

    def write(self, **more: str) -> None:
        said = {"client": "acme", "source": str(self.source), "pattern": "asterisk", "zone": "Europe/Moscow", **more}
        lines = [f"{name} = {json.dumps(value)}" for name, value in said.items()]
        self.watch_file.write_text("\n".join(["[watchers.pbx]", "poll_s = 0.1", *lines]))

    def put(self, name: str, data: bytes) -> None:
        scratch = self.source / f"{name}.part"
        scratch.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(data)
        scratch.rename(self.source / name)

    def running(self, **settings: str) -> Any:
        settings = {"INGEST_WATCH_FILE": str(self.watch_file), **settings}
        return running(self.folder, self._urls.ingest, self._broker.address, **settings)

    def jobs(self, ingest: IngestProcess) -> list[dict[str, Any]]:
        answer = httpx.get(f"{ingest.url}/v1/jobs", headers={"Authorization": f"Bearer {self._key}"}, timeout=30)
        found: list[dict[str, Any]] = answer.json()["jobs"]
        return found

    def call_ids(self) -> list[str]:
        with psycopg.connect(self._urls.ingest) as connection:
            rows = connection.execute("SELECT call_id FROM ingest.submissions ORDER BY call_id::bigint").fetchall()
        return [str(row[0]) for row in rows]

    def refused(self) -> list[str]:
        with psycopg.connect(self._urls.ingest) as connection:
            rows = connection.execute("SELECT reason FROM ingest.watched_files WHERE state = 'refused' ORDER BY 1")
            return [str(row[0]) for row in rows]

    def looks(self) -> int:
        """How often it looked, told by the time of the last."""
        return self._value("SELECT coalesce(max(extract(epoch FROM looked_at) * 1000), 0)::bigint FROM ingest.watchers")

    def marked(self) -> int:
        return self._value("SELECT count(*) FROM ingest.watched_files WHERE state = 'taken'")

    def _value(self, query: str) -> int:
        with psycopg.connect(self._urls.ingest) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def look_again(self, times: int = 3) -> None:
        for _ in range(times):
            before = self.looks()
            eventually(partial(self._looked_after, before), deadline_s=30)

    def _looked_after(self, before: int) -> bool:
        return self.looks() > before


@pytest.fixture
def house(tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str) -> House:
    return House(tmp_path, migrated, broker, key)


def test_what_lies_in_the_folder_becomes_jobs_once_over_restarts(house: House, broker: MockCluster) -> None:
    house.put(IN, sound(1))
    with house.running() as ingest:
        eventually(lambda: len(house.jobs(ingest)) == 1, deadline_s=30)
        house.put(OUT, sound(2))
        eventually(lambda: house.marked() == 2, deadline_s=30)
        ids = {job["job_id"] for job in house.jobs(ingest)}
        reader = Reader(broker.address, "test")
        eventually(lambda: reader.read() is not None and set(reader.times) == ids, deadline_s=30)
        reader.consumer.close()
        assert ingest.terminate() == 0
    with house.running() as ingest:
        house.look_again()
        found = {job["audio"]["file_name"]: job for job in house.jobs(ingest)}
        assert {job["job_id"] for job in found.values()} == ids
        for name in found:
            assert name not in ingest.log()  # names hold numbers
        assert "79160000000" not in ingest.log()
    assert found[IN]["call"]["direction"] == "inbound"
    assert found[IN]["call_id"] == "1769857512.42"
    assert found[IN]["call"]["started_at"] == "2026-01-31T11:05:12Z"
    assert found[OUT]["call"]["operator"] == "102"


@pytest.mark.parametrize("step", ["ingest.audio_put", "ingest.before_commit", "ingest.committed"])
def test_a_process_killed_at_any_step_leaves_one_job(house: House, step: str) -> None:
    house.put(IN, sound(1))
    with house.running(RAZGOVOR_CRASH_AT=f"{step}:1") as doomed:
        assert doomed.process.wait(60) == -signal.SIGKILL
    assert house.marked() == 0
    with house.running() as ingest:
        eventually(lambda: house.marked() == 1, deadline_s=30)
        house.look_again(2)
        (job,) = house.jobs(ingest)
        assert job["audio"]["file_name"] == IN


def test_a_restart_in_the_middle_of_many_files_takes_each_once(house: House) -> None:
    for number in range(60):
        house.put(f"in-101-7916-20260131-140512-{number}.wav", sound(number))
    with house.running() as first:
        eventually(lambda: house.marked() >= 5, deadline_s=30)
        first.process.kill()
    with house.running():
        eventually(lambda: house.marked() == 60, deadline_s=60)
        house.look_again(2)
    assert house.call_ids() == [str(number) for number in range(60)]


def test_a_watch_file_that_cannot_be_used_ends_the_process_with_its_reason(house: House) -> None:
    house.write(zone="Europe/Nowhere")
    with pytest.raises(RuntimeError, match=r"watchers\.pbx\.zone"), house.running():
        pass


def snapshot(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = (stat.st_mode, stat.st_mtime_ns, stat.st_ctime_ns, data)
    return found


@pytest.fixture
def read_only(house: House) -> Iterator[House]:
    """A folder that nobody can write to, not even root: mounted so, as a share of a PBX often is."""
    house.put(IN, sound(1))
    house.put("20260131/" + OUT, b"no sound at all" * 100)
    (house.source / "link.wav").symlink_to("/etc/passwd")
    target = str(house.source)
    needs_root("it mounts a folder read-only")
    if os.system(f"mount --bind {target} {target} && mount -o remount,ro,bind {target}"):  # noqa: S605
        skip_or_fail("root may not mount a folder read-only on this machine: a container needs CAP_SYS_ADMIN")
    try:
        yield house
    finally:
        os.system(f"umount --lazy {target}")  # noqa: S605


def test_a_read_only_folder_is_watched_and_stays_as_it_is(read_only: House) -> None:
    house = read_only
    with pytest.raises(OSError, match="Read-only"):
        (house.source / "x").touch()
    before = snapshot(house.source)
    with house.running() as ingest:
        eventually(lambda: house.marked() == 1, deadline_s=30)
        house.look_again()
        assert len(house.jobs(ingest)) == 1
    assert snapshot(house.source) == before
    assert house.refused() == ["symlink", "unsupported_media"]
