"""WebVTT: subtitles with a voice for each speaker. Called through `FORMATS`; served as text/vtt to players in browsers.

Whatever was said cannot become markup, a timing line or a new block: text is one line with `&`, `<` and `>` escaped.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript
from pipeline.formats import warnings
from pipeline.formats.cues import Cue, cues
from pipeline.formats.head import Fact, made_by, started
from pipeline.formats.plain import one_line
from pipeline.formats.timecodes import clock, subtitle_time
from pipeline.formats.wording import Wording, wording


def render(transcript: Transcript, info: CallInfo | None, locale: str) -> bytes:
    """UTF-8: a NOTE with the head, then the cues by start."""
    words = wording(locale)
    note = "NOTE\n" + "\n".join(_escaped(line) for line in _note(transcript, info, words))
    return ("\n\n".join(["WEBVTT", note, *map(_block, cues(transcript, words))]) + "\n").encode()


def _note(transcript: Transcript, info: CallInfo | None, words: Wording) -> Iterator[str]:
    lines = [Fact(words.labels["call"], one_line(transcript.call_id))]
    when = started(info, words) if info else None
    if when:
        lines.append(Fact(words.labels["started"], when))
    lines.append(Fact(words.labels["duration"], clock(transcript.duration_s)))
    for fact in (*lines, *made_by(transcript, words)):
        yield f"{fact.label}: {fact.text}"
    for text in warnings.sentences(transcript, words):
        yield f"{words.attention}: {text}"


def _block(cue: Cue) -> str:
    voice = "" if cue.speaker is None else f"<v {_escaped(cue.speaker)}>"
    return f"{subtitle_time(cue.start_ms, '.')} --> {subtitle_time(cue.end_ms, '.')}\n{voice}{_escaped(cue.text)}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
