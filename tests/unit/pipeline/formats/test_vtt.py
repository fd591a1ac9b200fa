from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.transcript import Channel, Turn, Warning_
from pipeline.formats import vtt
from pipeline.formats.cues import cues
from pipeline.formats.plain import one_line
from pipeline.formats.wording import wording
from tests.unit.pipeline.formats import calls, hostile, webvtt


@pytest.mark.parametrize("text", hostile.TEXTS)
def test_hostile_text_is_one_cue_with_the_same_text(text: str) -> None:
    [*read] = webvtt.parse(vtt.render(calls.transcript([calls.turn(text, timed=False)]), None, "en")).cues
    kept = one_line(text)
    assert read == ([webvtt.VttCue(0, 1000, "Operator", kept)] if kept else [])


@pytest.mark.parametrize("role", ["<v x>", "x>y", "a\nb", "&lt;", "-->", "Клиент & сын"])
def test_a_hostile_speaker_stays_a_name(role: str) -> None:
    channels = (Channel(index=0, role=role, speech_s=1), Channel(index=1, role=None, speech_s=1))
    call = calls.transcript([calls.turn("да", role=role)], channels=channels)
    assert webvtt.parse(vtt.render(call, None, "ru")).cues == (webvtt.VttCue(0, 1000, one_line(role), "да"),)


_seconds = st.floats(min_value=-1, max_value=400_000, allow_nan=False)


@st.composite
def _turns(draw: st.DrawFn) -> Turn:
    start_s = draw(_seconds)
    return calls.turn(
        draw(hostile.anything),
        channel=draw(st.integers(0, 1)),
        role=None,
        start_s=start_s,
        end_s=draw(st.one_of(_seconds, st.just(start_s), st.just(start_s + 30))),
        timed=draw(st.booleans()),
    )


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.lists(_turns(), max_size=6), hostile.anything, hostile.anything)
def test_a_strict_reader_finds_the_same_cues(turns: list[Turn], call_id: str, warning: str) -> None:
    channels = tuple(Channel(index=index, role=None, speech_s=1) for index in range(2))
    call = calls.transcript(turns, channels=channels, call_id=call_id, warnings=(Warning_(code=warning),))
    file = webvtt.parse(vtt.render(call, calls.INFO, "ru"))
    assert [(cue.start_ms, cue.end_ms, cue.voice, cue.text) for cue in file.cues] == [
        (cue.start_ms, cue.end_ms, cue.speaker, cue.text) for cue in cues(call, wording("ru"))
    ]
    assert len(file.notes) == 1


def test_the_note_names_call_date_model_job_and_warnings_but_no_person() -> None:
    [note] = webvtt.parse(vtt.render(calls.conversation(), calls.INFO, "ru")).notes
    assert note.splitlines() == [
        "NOTE",
        "Звонок: call-job-1",
        "Дата и время: 14.03.2026 10:15:30 UTC+03:00",
        "Длительность: 01:24",
        "Модель: base (sha256 905e5bf8336b)",
        "Движок: faster-whisper/1.2.1",
        "Задание: job-1 (запуск 1)",
        "Внимание: Запись неполная: заявлено 252,0 с (04:12), прочитано 84,2 с (01:24).",
    ]


def test_a_mono_call_has_no_voices() -> None:
    call = calls.transcript([calls.turn("да", role=None)], channel_mode="mono")
    assert [cue.voice for cue in webvtt.parse(vtt.render(call, None, "ru")).cues] == [None]


def test_a_silent_call_is_a_file_without_cues() -> None:
    assert webvtt.parse(vtt.render(calls.transcript(), None, "ru")).cues == ()


@pytest.mark.parametrize(
    "wrong",
    [
        b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<b>x</b>\n",
        b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\na & b\n",
        b"WEBVTT\n\n00:00:02.000 --> 00:00:02.000\nx\n",
        b"WEBVTT\n\nNOTE\nx --> y\n",
        b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nx\n\ny\n",
        b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nx --> y\n",
        b"WEBVTT\n\n00:00:05.000 --> 00:00:06.000\nx\n\n00:00:01.000 --> 00:00:02.000\ny\n",
    ],
)
def test_the_reader_of_these_tests_is_strict(wrong: bytes) -> None:
    with pytest.raises(webvtt.NotWebVtt):
        webvtt.parse(wrong)
