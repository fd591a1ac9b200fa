"""What came of the recordings, as a table on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from razgovor.texts import Locale, text
from razgovor.transcription.summary import Row

_PIPE_WIDTH: Final = 140
_STYLES: Final = {"completed": "green", "failed": "red", "refused": "red"}


def duration(seconds: float | None) -> str:
    """Minutes and seconds, `1:14`; nothing for none."""
    if seconds is None:
        return ""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"


def table(rows: Sequence[Row], locale: Locale, wer: Mapping[str, float] | None = None) -> Table:
    """One line a recording; with `wer` (by file) its column too."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column(text("file", locale), no_wrap=True)
    shown.add_column(text("duration", locale), justify="right")
    shown.add_column(text("channels", locale))
    shown.add_column(text("state", locale), no_wrap=True)
    shown.add_column(text("words", locale), justify="right")
    if wer is not None:
        shown.add_column(text("wer", locale), justify="right")
    for name in ("queue_wait", "engine", "speed"):
        shown.add_column(text(name, locale), justify="right")
    for row in rows:
        shown.add_row(*_cells(row, locale, wer), style=_STYLES.get(row.state))
    return shown


def _cells(row: Row, locale: Locale, wer: Mapping[str, float] | None) -> list[str]:
    # File names and reasons are strangers' text: never markup.
    state = text(row.state, locale) + (f": {escape(row.reason)}" if row.reason else "")
    quality = [] if wer is None else [f"{wer[row.file]:.1%}" if row.file in wer else ""]
    times = row.timings
    worked_ms = times.decode_ms + times.vad_ms + times.engine_ms if times else 0
    # Where nobody speaks there is nothing to hear, and no speed worth a name.
    speed = f"{row.duration_s * 1000 / worked_ms:.1f}" if row.duration_s and worked_ms and row.words else ""
    return [
        escape(row.file),
        duration(row.duration_s),
        row.channel_mode or "",
        state,
        "" if row.words is None else str(row.words),
        *quality,
        _seconds(times.queue_wait_ms) if times and worked_ms else "",
        _seconds(times.engine_ms) if times and worked_ms else "",
        speed,
    ]


def reasons(rows: Sequence[Row]) -> list[str]:
    """Why recordings failed or were refused, a line each."""
    return [f"{row.file}: {row.reason_text}" for row in rows if row.reason_text]


def console() -> Console:
    """Standard output; where nobody's terminal says how wide it is, wide enough for the tables."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def mono_warning(rows: Sequence[Row], locale: Locale) -> str | None:
    """One line when recordings are mono; none otherwise."""
    known = [row for row in rows if row.channel_mode]
    mono = sum(row.channel_mode == "mono" for row in known)
    return text("mono", locale, mono=mono, all=len(known)) if mono else None


def progress(screen: Console) -> Progress:
    """A bar over recordings; `now` names the one that is done."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", markup=False),
        console=screen,
    )
