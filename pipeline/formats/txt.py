"""TXT: the dialogue by time, for a person with any editor. Called through `FORMATS`."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import TextWrapper
from typing import Final

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript
from pipeline.formats import warnings
from pipeline.formats.head import facts
from pipeline.formats.plain import one_line
from pipeline.formats.speakers import dialogue, labels
from pipeline.formats.timecodes import clock, is_long
from pipeline.formats.wording import Wording, wording

_WIDTH: Final = 100
_MAX_LABEL_WIDTH: Final = 24


def render(transcript: Transcript, info: CallInfo | None, locale: str) -> bytes:
    """UTF-8, lines of at most 100 characters unless a word is longer, line feeds."""
    words = wording(locale)
    blocks = [
        [words.title],
        list(_head(transcript, info, words)),
        [line for text in warnings.sentences(transcript, words) for line in _hanging(f"{words.attention}: ", text)],
        ["-" * _WIDTH],
        list(_dialogue(transcript, words)),
        [f"[{words.breaks_off}: {clock(transcript.duration_s)}]"] if transcript.partial else [],
    ]
    return ("\n\n".join("\n".join(block) for block in blocks if block) + "\n").encode()


def _head(transcript: Transcript, info: CallInfo | None, words: Wording) -> Iterator[str]:
    known = facts(transcript, info, words)
    width = min(max(len(fact.label) for fact in known), _MAX_LABEL_WIDTH) + 2
    for fact in known:
        yield from _hanging(f"{fact.label}:".ljust(width), fact.text, indent=width)


def _dialogue(transcript: Transcript, words: Wording) -> Iterator[str]:
    """`[04:12] Operator:  text`, the text of all turns in one column."""
    by_channel = labels(transcript, words)
    width = min(max(map(len, by_channel.values()), default=0), _MAX_LABEL_WIDTH) + 2
    hours = is_long(transcript.duration_s)
    spoken = [(turn, one_line(turn.text)) for turn in dialogue(transcript)]
    if not any(text for _turn, text in spoken):
        yield words.no_speech
    for turn, text in spoken:
        if not text:
            continue
        speaker = f"{by_channel[turn.channel]}:".ljust(width) if by_channel else ""
        yield from _hanging(f"[{clock(turn.start_s, hours=hours)}] {speaker}", text)


def _hanging(prefix: str, text: str, *, indent: int | None = None) -> list[str]:
    """The text wrapped under its own beginning; a word is never broken."""
    wrapper = TextWrapper(
        width=_WIDTH,
        initial_indent=prefix if prefix.endswith(" ") else f"{prefix} ",
        subsequent_indent=" " * (len(prefix) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.wrap(text) or [prefix.rstrip()]
