"""The waveform of a recording, over the interface."""

from __future__ import annotations

import pytest

from pipeline.audio import Outline, OutlineRequest
from pipeline.errors import CallFault
from pipeline.isolation import ChildCrashed, ChildTimeout
from services.ingest.clients import Client
from tests.unit.ingest.rig import Rig, drawn, wav


class Counting:
    """Draws, and counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[OutlineRequest] = []
        self._error = error

    def __call__(self, request: OutlineRequest) -> Outline:
        self.asked.append(request)
        assert request.source.read_bytes() == wav()
        if self._error is not None:
            raise self._error
        return drawn(request)


def test_each_channel_is_shown_and_a_recording_is_drawn_once() -> None:
    draw = Counting()
    rig = Rig(draw=draw)
    http = rig.http()
    for _ in range(2):
        http.post("/v1/jobs", content=wav())  # the same recording twice
    for job_id in rig.submissions.submissions:
        answer = http.get(f"/v1/jobs/{job_id}/waveform")
        assert answer.json() == {"duration_s": 1.0, "channels": [[10_000, 0], [0, 5_000]]}
    assert len(draw.asked) == 1
    assert draw.asked[0].media_type == "audio/wav"


@pytest.mark.parametrize("error", [CallFault("no_audio"), ChildCrashed(-11), ChildTimeout(120.0)])
def test_what_cannot_be_drawn_is_not_tried_again_and_again(error: Exception) -> None:
    draw = Counting(error)
    rig = Rig(draw=draw)
    http = rig.http()
    http.post("/v1/jobs", content=wav())
    for _ in range(2):
        answer = http.get(f"/v1/jobs/{rig.only_job()}/waveform")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_waveform")
    assert len(draw.asked) == 1


def test_another_clients_recording_and_an_erased_one_are_not_drawn() -> None:
    rig = Rig()
    rig.http().post("/v1/jobs", content=wav())
    address = f"/v1/jobs/{rig.only_job()}/waveform"
    other = rig.add_client(Client(client_id="other", name="Other"))
    assert rig.http(other).get(address).status_code == 404
    assert rig.http().delete(f"/v1/jobs/{rig.only_job()}").status_code == 202
    assert rig.http().get(address).json()["code"] == "gone"
