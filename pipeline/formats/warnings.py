"""What a reader of the transcript should know, as sentences. Called by the formats for their heads and sheets."""

from __future__ import annotations

from typing import Final

from pipeline.contracts.transcript import Transcript, Warning_
from pipeline.formats.plain import one_line
from pipeline.formats.speakers import channel_label
from pipeline.formats.timecodes import clock
from pipeline.formats.wording import Wording

#: Codes that tell how a recording is made, not that something is wrong with it; the head says them.
_NO_FAULT: Final = frozenset({"swapped_channels"})


def sentences(transcript: Transcript, words: Wording) -> tuple[str, ...]:
    """One sentence for each warning; a partial transcript always has one."""
    said = tuple(
        _sentence(warning, transcript, words) for warning in transcript.warnings if warning.code not in _NO_FAULT
    )
    if transcript.partial and not any(warning.code == "truncated_audio" for warning in transcript.warnings):
        return (words.partial, *said)
    return said


def _sentence(warning: Warning_, transcript: Transcript, words: Wording) -> str:
    template = words.warnings.get(warning.code)
    if template is None:  # of a newer release: its code stands for itself
        figures = ", ".join(f"{one_line(name)} {value:g}" for name, value in sorted(warning.details.items()))
        return f"{one_line(warning.code)}: {figures}" if figures else one_line(warning.code)
    return template.format(
        declared=_length(warning.details.get("declared_s"), words),
        decoded=_length(warning.details.get("decoded_s"), words),
        channel=channel_label(transcript, int(warning.details.get("channel", 0)), words),
        level=f"{warning.details.get('level_db', 0.0):.0f}",
        share=f"{warning.details.get('share', 0.0):.0%}",
        leaked=_length(warning.details.get("leaked_s"), words),
    )


def _length(seconds: float | None, words: Wording) -> str:
    """`252,0 с (04:12)`."""
    if seconds is None:
        return "?"
    value = f"{seconds:.1f}".replace(".", words.decimal)
    return f"{words.seconds.format(value=value)} ({clock(seconds)})"
