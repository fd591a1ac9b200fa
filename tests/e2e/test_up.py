"""`razgovor up` as an operator runs it: it lasts, it survives a restart, it leaves nothing running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.testing.waiting import eventually
from tests.e2e.lasting import SAMPLES, client_of, data_folder, key_of, state, submit, up

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def data() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def test_what_was_accepted_is_finished_after_a_restart_and_nothing_stays_running(data: Path) -> None:
    with up(data) as url:
        key = key_of(data)
        with client_of(url, key) as client:
            done = submit(client, SAMPLES / "people" / "golos_02.wav")
            eventually(lambda: state(client, done) == "completed", deadline_s=120)
            text = client.get(f"/v1/jobs/{done}/transcript", params={"format": "txt"}).text
            assert "яблоки" in text.lower()
            waiting = submit(client, SAMPLES / "clinic.wav")
    with up(data) as url, client_of(url, key) as client:
        assert state(client, done) == "completed"
        eventually(lambda: state(client, waiting) == "completed", deadline_s=180)
        assert client.get("/", follow_redirects=True).status_code == 200
