"""SRT: subtitles for players that know no WebVTT. Called through `FORMATS`.

SRT has no escapes and no place for a head: characters that players take for markup become ones that look alike, and what
a reader should know of the call is its last cue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript
from pipeline.formats import warnings
from pipeline.formats.cues import Cue, cues
from pipeline.formats.timecodes import milliseconds, subtitle_time
from pipeline.formats.wording import Wording, wording

_LINE_CHARACTERS: Final = 42
#: So long the last cue stands, behind the call's end.
_REMARKS_MS: Final = 5_000
_LOOKALIKES: Final = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def render(transcript: Transcript, _info: CallInfo | None, locale: str) -> bytes:
    """UTF-8, numbered cues by start, `Speaker: text` where the speaker is known."""
    words = wording(locale)
    said = cues(transcript, words)
    made = enumerate([*said, *_remarks(transcript, said, words)], start=1)
    return "".join(f"{number}\n{_block(cue)}\n\n" for number, cue in made).encode()


def _remarks(transcript: Transcript, said: Sequence[Cue], words: Wording) -> Iterator[Cue]:
    """Whatever is wrong with a call of which not all could be read."""
    if transcript.partial:
        ends_ms = max([milliseconds(transcript.duration_s), *(cue.end_ms for cue in said)])
        remarks = " ".join(warnings.sentences(transcript, words))
        yield Cue(ends_ms, ends_ms + _REMARKS_MS, None, f"{words.attention}: {remarks}")


def _block(cue: Cue) -> str:
    text = cue.text if cue.speaker is None else f"{cue.speaker}: {cue.text}"
    lines = wrap(text.translate(_LOOKALIKES), _LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    return f"{subtitle_time(cue.start_ms, ',')} --> {subtitle_time(cue.end_ms, ',')}\n" + "\n".join(lines)
