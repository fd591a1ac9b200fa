"""`razgovor up` as an operator runs it: it lasts, it survives a restart, it leaves nothing running."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.testing.waiting import eventually
from tests.e2e.lasting import SAMPLES, client_of, data_folder, key_of, state, submit, up

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def data() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def watched(folder: Path) -> tuple[Path, Path]:
    """A folder of a PBX with one recording in it, and the file that has it watched."""
    source, watch_file = folder / "monitor", folder / "watch.toml"
    source.mkdir()
    shutil.copy(SAMPLES / "people" / "golos_02.wav", source / "in-101-79160000000-20260131-140512-1769857512.42.wav")
    watch_file.write_text(
        f'[watchers.pbx]\nclient = "acme"\nsource = "{source}"\npattern = "asterisk"\nzone = "Europe/Moscow"\n'
        "days = 3660\npoll_s = 0.5\n"
    )
    return source, watch_file


def fetched(client: httpx.Client) -> list[str]:
    """Jobs of the recording that lay in the folder."""
    found = client.get("/v1/jobs", params={"call_id": "1769857512.42"}).json()["jobs"]
    return [job["job_id"] for job in found]


def test_what_was_accepted_is_finished_after_a_restart_and_nothing_stays_running(data: Path, tmp_path: Path) -> None:
    source, watch_file = watched(tmp_path)
    with up(data, "--watch", str(watch_file)) as url:
        key = key_of(data)
        with client_of(url, key) as client:
            done = submit(client, SAMPLES / "people" / "golos_02.wav")
            eventually(lambda: state(client, done) == "completed", deadline_s=120)
            text = client.get(f"/v1/jobs/{done}/transcript", params={"format": "txt"}).text
            assert "яблоки" in text.lower()
            waiting = submit(client, SAMPLES / "clinic.wav")
            (taken,) = eventually(lambda: fetched(client), deadline_s=60)
    with up(data, "--watch", str(watch_file)) as url, client_of(url, key) as client:
        assert state(client, done) == "completed"
        eventually(lambda: state(client, taken) == "completed", deadline_s=180)
        assert "яблоки" in client.get(f"/v1/jobs/{taken}/transcript", params={"format": "txt"}).text.lower()
        assert fetched(client) == [taken]
        assert len(list(source.iterdir())) == 1
        eventually(lambda: state(client, waiting) == "completed", deadline_s=180)
        assert client.get("/", follow_redirects=True).status_code == 200
