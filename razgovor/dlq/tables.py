"""Dead letters on a terminal, and as JSON. What strangers wrote is shown escaped: it never speaks to the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rich import box
from rich.markup import escape
from rich.table import Table

from pipeline.contracts.events import Event
from razgovor.dlq.replaying import Replayed
from services.ledger.letters import Letter

_HEX_BYTES_MAX: Final = 512
_HEX_WIDTH: Final = 16


def summary(letter: Letter) -> dict[str, Any]:
    """What a list says of a letter."""
    return {
        "id": letter.letter_id,
        "recorded_at": letter.recorded_at.isoformat(),
        "topic": letter.home_topic,
        "partition": letter.origin_partition,
        "offset": letter.origin_offset,
        "job_id": letter.key_text,
        "reason": letter.reason,
        "group": letter.group,
        "stage": letter.stage,
        "event_id": letter.event_id,
        "bytes": None if letter.value is None else len(letter.value),
        "replayed_at": _time(letter.replayed_at),
        "replayed_as": letter.replayed_as,
        "dropped_at": _time(letter.dropped_at),
    }


def letter_table(letters: Sequence[Letter]) -> Table:
    """Letters, a line each."""
    table = Table("id", "put aside", "topic", "reason", "group", "stage", "job", "", box=box.SIMPLE)
    for letter in letters:
        cells = (
            letter.recorded_at.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00"),
            letter.home_topic,
            letter.reason or "",
            letter.group or "",
            letter.stage,
            letter.key_text,
            _done(letter),
        )
        table.add_row(str(letter.letter_id), *(_shown(cell) for cell in cells))
    return table


def replay_table(replayed: Sequence[Replayed]) -> Table:
    """What became of letters, a line each."""
    table = Table("id", "topic", "reason", "job", "outcome", box=box.SIMPLE)
    for one in replayed:
        letter = one.letter
        colour = "green" if one.done else "yellow"
        cells = (letter.home_topic, letter.reason or "", letter.key_text)
        shown = f"[{colour}]{_shown(one.outcome)}[/{colour}]"
        table.add_row(str(letter.letter_id), *(_shown(cell) for cell in cells), shown)
    return table


def replay_row(one: Replayed) -> dict[str, Any]:
    """The same as data."""
    letter = one.letter
    return {"id": letter.letter_id, "job_id": letter.key_text, "done": one.done, "outcome": one.outcome}


def whole(letter: Letter, event: Event | None) -> dict[str, Any]:
    """All of a letter as data: its headers, and its event or its bytes."""
    return {
        **summary(letter),
        "headers": [[name, value.decode(errors="backslashreplace")] for name, value in letter.headers],
        "event": None if event is None else json.loads(event.model_dump_json()),
        "value_hex": None if event is not None or letter.value is None else letter.value.hex(),
    }


def whole_lines(letter: Letter, event: Event | None) -> Iterator[str]:
    """All of a letter for people, line by line, with nothing in it that a terminal obeys."""
    for name, value in summary(letter).items():
        yield f"{name:12} {'' if value is None else _printable(str(value))}"
    yield ""
    for name, raw in letter.headers:
        yield f"{_printable(name)}: {_printable(raw.decode(errors='backslashreplace'))}"
    yield ""
    if event is not None:
        # ASCII: what a stranger put into a text is shown by its code.
        yield from json.dumps(json.loads(event.model_dump_json()), indent=2).splitlines()
    elif letter.value is None:
        yield "no bytes here"
    else:
        yield from _hex_lines(letter.value)


def _hex_lines(value: bytes) -> Iterator[str]:
    for start in range(0, min(len(value), _HEX_BYTES_MAX), _HEX_WIDTH):
        piece = value[start : start + _HEX_WIDTH]
        text = "".join(chr(byte) if chr(byte).isascii() and chr(byte).isprintable() else "." for byte in piece)
        yield f"{start:08x}  {piece.hex(' '):47}  {text}"
    if len(value) > _HEX_BYTES_MAX:
        yield f"... {len(value) - _HEX_BYTES_MAX} bytes more: --json shows all"


def _done(letter: Letter) -> str:
    if letter.replayed_at is not None:
        return f"replayed: {letter.replayed_as}"
    return "" if letter.dropped_at is None else "dropped"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _shown(text: str) -> str:
    return escape(_printable(text))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
