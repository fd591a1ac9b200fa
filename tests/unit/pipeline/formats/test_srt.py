from __future__ import annotations

import re

from hypothesis import given, settings

from pipeline.formats import srt
from tests.unit.pipeline.formats import calls, hostile

_BLOCK = re.compile(r"(\d+)\n\d{2,}:\d\d:\d\d,\d{3} --> \d{2,}:\d\d:\d\d,\d{3}\n([^\n]+(?:\n[^\n]+)*)")


def test_a_conversation_reads_like_this() -> None:
    text = srt.render(calls.conversation(), calls.INFO, "ru").decode()
    assert text.startswith(
        "1\n00:00:00,800 --> 00:00:03,875\nОператор: Добрый день, банк Северный,\nспециалист Александр.\n\n2\n"
    )
    assert "00:00:41,800 --> 00:00:42,400\nКлиент: Да.\n\n" in text
    assert text.endswith(
        "00:01:24,200 --> 00:01:29,200\nВнимание: Запись неполная: заявлено 252,0\nс (04:12), прочитано 84,2 с (01:24).\n\n"
    )


def test_of_a_whole_call_nothing_is_remarked() -> None:
    assert srt.render(calls.transcript([calls.turn("Да")]), None, "ru").decode().count(" --> ") == 1


def test_two_lines_are_enough_for_a_cue_of_the_conversation() -> None:
    whole = calls.conversation().model_copy(update={"partial": False})
    blocks = srt.render(whole, None, "ru").decode().split("\n\n")
    assert max(block.count("\n") for block in blocks) == 3


@settings(deadline=None)  # a busy machine is no fault of the code
@given(hostile.anything)
def test_no_text_becomes_markup_or_another_cue(said: str) -> None:
    text = srt.render(
        calls.transcript([calls.turn(said), calls.turn("конец", start_s=50, end_s=51)]), None, "ru"
    ).decode()
    blocks = [_BLOCK.fullmatch(block) for block in text.removesuffix("\n\n").split("\n\n")]
    assert all(blocks)
    assert [block[1] for block in blocks if block] == [str(number + 1) for number in range(len(blocks))]
    assert not any(set(block[2]) & set("<>{}") for block in blocks if block)
