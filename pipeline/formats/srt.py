"""SRT: subtitles for players that know no WebVTT. Called through `FORMATS`.

SRT has no escapes and no place for a head: characters that players take for markup become ones that look alike.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript
from pipeline.formats.cues import Cue, cues
from pipeline.formats.timecodes import subtitle_time
from pipeline.formats.wording import wording

_LINE_CHARACTERS: Final = 42
_LOOKALIKES: Final = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def render(transcript: Transcript, _info: CallInfo | None, locale: str) -> bytes:
    """UTF-8, numbered cues by start, `Speaker: text` where the speaker is known."""
    made = enumerate(cues(transcript, wording(locale)), start=1)
    return "".join(f"{number}\n{_block(cue)}\n\n" for number, cue in made).encode()


def _block(cue: Cue) -> str:
    text = cue.text if cue.speaker is None else f"{cue.speaker}: {cue.text}"
    lines = wrap(text.translate(_LOOKALIKES), _LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    return f"{subtitle_time(cue.start_ms, ',')} --> {subtitle_time(cue.end_ms, ',')}\n" + "\n".join(lines)
