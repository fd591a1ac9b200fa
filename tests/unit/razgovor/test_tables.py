from __future__ import annotations

import io

from rich.console import Console

from pipeline.contracts.events import Timings
from razgovor.texts import Locale, catalogue, text
from razgovor.transcription.summary import Row
from razgovor.transcription.tables import duration, mono_warning, reasons, table


def shown(rows: list[Row], locale: Locale = "en", wer: dict[str, float] | None = None) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(table(rows, locale, wer))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def row(**fields: object) -> Row:
    return Row.model_validate({"file": "a.wav", "key": "k", "state": "completed", **fields})


def test_durations_are_minutes_and_seconds() -> None:
    assert [duration(one) for one in (None, 0.4, 74.01, 3600.0)] == ["", "0:00", "1:14", "60:00"]


def test_a_row_shows_words_wer_times_and_speed() -> None:
    timings = Timings(queue_wait_ms=1500, decode_ms=500, vad_ms=500, engine_ms=9000)
    line = shown([row(duration_s=60.0, words=143, channel_mode="stereo", timings=timings)], wer={"a.wav": 0.104})
    for figure in ("1:00", "stereo", "143", "10.4%", "1.5 s", "9.0 s", "6.0"):
        assert figure in line


def test_a_failure_shows_its_code_in_the_table_and_its_reason_below() -> None:
    failed = row(state="failed", reason="too_long", reason_text="Запись слишком длинная")
    assert "ошибка: too_long" in shown([failed], "ru")
    assert reasons([failed, row()]) == ["a.wav: Запись слишком длинная"]


def test_a_hostile_file_name_is_text_and_no_markup() -> None:
    assert "[bold]x[/]" in shown([row(file="[bold]x[/].wav")])


def test_mono_recordings_are_counted() -> None:
    rows = [row(channel_mode="mono"), row(channel_mode="stereo"), row(state="failed")]
    assert str(mono_warning(rows, "en")).startswith("1 of 2 recordings are mono")
    assert mono_warning(rows[1:], "en") is None


def test_both_languages_have_every_text() -> None:
    assert set(catalogue()["ru"]) == set(catalogue()["en"])
    assert text("mono", "ru", mono=37, all=40).startswith("37 из 40 записей — моно")
