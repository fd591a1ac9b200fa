from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.contracts.events import Timings
from pipeline.contracts.transcript import Channel, Provenance, Quality, Transcript
from pipeline.errors import CallFault

#: What this release adds to the schema; older releases did not write it.
ADDED = ("quality", "language_detection")
ADDED_TO_PROVENANCE = ("parameters_sha256", "glossary", "filters")


def transcript() -> Transcript:
    return Transcript(
        job_id="j",
        run=1,
        call_id="c",
        client="acme",
        language="ru",
        channel_mode="stereo",
        duration_s=1.0,
        partial=False,
        warnings=(),
        channels=(Channel(index=0, role="operator", speech_s=0.5, quality=Quality(level_db=-20.0)),),
        turns=(),
        suppressed=(),
        quality=Quality(avg_logprob=-0.2),
        timings=Timings(),
        provenance=Provenance(
            audio_sha256="0", engine="e", model="m", model_sha256="1", parameters={}, parameters_sha256="2", filters="2"
        ),
    )


def document() -> dict[str, Any]:
    return dict(json.loads(transcript().to_bytes()))


def read(values: dict[str, Any]) -> Transcript:
    return Transcript.from_bytes(json.dumps(values).encode())


def test_reading_gives_what_was_written() -> None:
    assert Transcript.from_bytes(transcript().to_bytes()) == transcript()
    assert document()["schema"] == "razgovor.transcript/1"


def test_a_transcript_of_an_older_release_is_read() -> None:
    values = document()
    for name in ADDED:
        values.pop(name, None)
    for name in ADDED_TO_PROVENANCE:
        del values["provenance"][name]
    del values["channels"][0]["quality"]

    old = read(values)

    assert (old.quality, old.channels[0].quality, old.provenance.filters) == (None, None, None)


def test_what_a_newer_release_added_is_carried_along() -> None:
    values = {**document(), "mood": {"customer": "calm"}}
    values["channels"][0]["pitch_hz"] = 120.5

    again = json.loads(read(values).to_bytes())

    assert (again["mood"], again["channels"][0]["pitch_hz"]) == ({"customer": "calm"}, 120.5)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema": "razgovor.transcript/2"}', b"\xff"])
def test_what_is_no_transcript_is_refused(data: bytes) -> None:
    with pytest.raises(CallFault) as refused:
        Transcript.from_bytes(data)

    assert refused.value.reason == "transcript_invalid"
