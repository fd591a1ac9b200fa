"""Who says a turn, in the reader's language. Called by every format that shows a dialogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.contracts.transcript import Transcript, Turn
from pipeline.formats.plain import one_line
from pipeline.formats.wording import Wording

_ONE_VOICE_TRACK: Final = frozenset({"mono", "dual_mono"})


def channel_label(transcript: Transcript, index: int, words: Wording) -> str:
    """`Operator`, `Customer`, else `Channel 2`; two channels of one role also say their number."""
    number = words.channel.format(number=index + 1)
    role = _roles(transcript).get(index)
    if role is None:
        return number
    label = one_line(words.roles.get(role, role)) or number
    shared = sum(other == role for other in _roles(transcript).values()) > 1
    return f"{label} ({number})" if shared else label


def labels(transcript: Transcript, words: Wording) -> Mapping[int, str]:
    """Label by channel; none at all where the channels do not tell speakers apart."""
    if transcript.channel_mode in _ONE_VOICE_TRACK:
        return {}
    return {index: channel_label(transcript, index, words) for index in _roles(transcript)}


def dialogue(transcript: Transcript) -> list[Turn]:
    """The turns by time."""
    return sorted(transcript.turns, key=lambda turn: (turn.start_s, turn.channel))


def _roles(transcript: Transcript) -> dict[int, str | None]:
    """Role by channel, as channels and turns say it."""
    said = {turn.channel: turn.role for turn in transcript.turns}
    return {**said, **{channel.index: channel.role for channel in transcript.channels}}
