from __future__ import annotations

import io
import json

from rich.console import Console

from pipeline.testing import samples
from razgovor.dlq import tables
from razgovor.dlq.replaying import Replayed
from tests.unit.razgovor.dlq.letters import letter

EVIL = "\x1b[31m[bold]\x07\u202e"


def printed(shown: object) -> str:
    out = io.StringIO()
    Console(file=out, width=300).print(shown)
    return out.getvalue()


def test_a_list_names_what_an_operator_asks_for() -> None:
    shown = printed(tables.letter_table([letter(samples.transcript_ready())]))
    for word in ("1", "2026-11-23 09:30:00", "transcript.ready", "KeyError", "exporter", "handle", "job-1"):
        assert word in shown


def test_what_a_stranger_wrote_never_speaks_to_the_terminal() -> None:
    one = letter(samples.job_status(), "decode", key=EVIL.encode(), reason=EVIL, origin_topic=EVIL)
    evil = (*one.headers, (EVIL, EVIL.encode() + b"\xff"))
    lines = "\n".join(
        tables.whole_lines(letter(samples.job_status(call_id=EVIL), "decode", headers=evil, reason=EVIL), None)
    )
    event = "\n".join(tables.whole_lines(one, samples.job_status(call_id=EVIL)))
    shown = printed(tables.letter_table([one])) + printed(tables.replay_table([Replayed(one, done=True, outcome=EVIL)]))
    for text in (lines, event, shown):
        assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert "[bold]" in shown


def test_bytes_that_nobody_understands_are_shown_as_hex_and_not_all_of_them() -> None:
    lines = list(tables.whole_lines(letter(samples.job_status(), value=bytes(range(256)) * 4), None))
    assert "00000000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................" in lines
    assert "00000040  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO" in lines
    assert lines[-1] == "... 512 bytes more: --json shows all"


def test_a_letter_without_bytes_says_so() -> None:
    assert list(tables.whole_lines(letter(samples.job_status(), value=None), None))[-1] == "no bytes here"


def test_json_holds_all_of_it() -> None:
    one = letter(samples.job_status())
    event = samples.job_status()
    whole = tables.whole(one, event)
    assert json.loads(json.dumps(whole))["event"]["job_id"] == "job-1"
    assert whole["value_hex"] is None
    assert one.value is not None
    assert tables.whole(one, None)["value_hex"] == one.value.hex()
