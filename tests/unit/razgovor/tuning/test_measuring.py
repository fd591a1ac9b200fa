"""A run over sample calls: how fast, how right, how much is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import CallFault, Fatal
from razgovor.evaluation.references import Reference
from razgovor.local_transcriber import local_transcriber, settings
from razgovor.tuning.measuring import Meter, SampleCall
from razgovor.tuning.storing import Stored, stored
from services.transcriber.fakes import TWO_SPEAKERS, FakeEngine, FakeFrontEnd
from tests.unit.razgovor.fake_children import Children

CALL_S = TWO_SPEAKERS.duration_s
#: What `FakeEngine` hears in every call.
HEARD = {"channels": ["ru00 ru01 ru02 ru03", "ru10 ru11 ru12 ru13"]}


def sample(folder: Path, said: Mapping[str, object], name: str = "call.wav", size_bytes: int = 1_000) -> SampleCall:
    path = folder / name
    path.write_bytes(bytes(size_bytes))
    return SampleCall(path, Reference.model_validate(said))


def meter(calls: list[SampleCall], children: Children, clock_s: Iterable[float]) -> Meter:
    times_s = iter(clock_s)
    return Meter(
        calls,
        {"beam_size": 5, "batch_size": 2},
        transcriber=partial(local_transcriber, children=children),
        clock_s=lambda: next(times_s),
    )


def test_speed_is_seconds_of_call_over_the_time_that_all_took(tmp_path: Path) -> None:
    front_end = FakeFrontEnd()
    calls = [sample(tmp_path, HEARD), sample(tmp_path, HEARD, "another.wav")]

    measured = meter(calls, Children(FakeEngine(), front_end), [100.0, 105.0])({})

    assert measured.call_s_per_s == pytest.approx(2 * CALL_S / 5.0)
    assert (measured.words.rate, measured.silence_words) == (0.0, 0)
    assert len(front_end.prepared) == 2


def test_a_run_that_is_over_too_soon_is_made_again_over_copies(tmp_path: Path) -> None:
    front_end = FakeFrontEnd()

    measured = meter([sample(tmp_path, HEARD)], Children(FakeEngine(), front_end), [0.0, 1.0, 10.0, 12.0])({})

    assert measured.call_s_per_s == pytest.approx(4 * CALL_S / 2.0)
    assert len(front_end.prepared) == 1 + 4


def test_wrong_words_are_counted(tmp_path: Path) -> None:
    said = {"channels": ["ru00 ru01 ru02 другое", "ru10 ru11 ru12 ru13"]}

    measured = meter([sample(tmp_path, said)], Children(FakeEngine()), [0.0, 5.0])({})

    assert measured.words.wrong == 1


def test_where_nobody_speaks_words_are_invented_and_neither_time_nor_bytes_count(tmp_path: Path) -> None:
    calls = [sample(tmp_path, HEARD), sample(tmp_path, {"text": ""}, "silence.wav", size_bytes=9_000)]

    measured = meter(calls, Children(FakeEngine()), [0.0, 5.0])({})

    assert measured.call_s_per_s == pytest.approx(CALL_S / 5.0)
    assert measured.silence_words == 8
    assert measured.stored.recording == pytest.approx(1_000 / CALL_S)


def test_what_is_stored_is_recording_transcript_and_exports(tmp_path: Path) -> None:
    call = sample(tmp_path, HEARD)
    with local_transcriber(settings(), children=Children(FakeEngine())) as one:
        [heard] = one.hear([call.path])
    assert heard.transcript is not None

    found = meter([call], Children(FakeEngine()), [0.0, 5.0])({}).stored

    assert found.recording == pytest.approx(1_000 / CALL_S)
    assert found.transcript == pytest.approx(len(heard.transcript.to_bytes()) / CALL_S, rel=0.05)
    assert found.exports > 5_000 / CALL_S  # an empty workbook is larger
    assert found.all == found.recording + found.transcript + found.exports
    assert stored([]) == Stored()


def test_chosen_settings_stand_over_fixed_ones(tmp_path: Path) -> None:
    children = Children(FakeEngine())

    meter([sample(tmp_path, HEARD)], children, [0.0, 5.0])({"batch_size": 8})

    assert [(one.beam_size, one.batch_size) for one in children.settings] == [(5, 8)]
    assert children.closed


def test_a_sample_call_that_fails_ends_the_run_and_says_why(tmp_path: Path) -> None:
    children = Children(FakeEngine(), FakeFrontEnd(error=CallFault("no_audio")))

    with pytest.raises(Fatal, match="no_audio"):
        meter([sample(tmp_path, HEARD)], children, [0.0, 5.0])({})

    assert children.closed
