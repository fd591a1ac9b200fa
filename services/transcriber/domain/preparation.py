"""What one channel's frames mean for all: pieces, leaks, windows. Called by `adapters.front_end` in its child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from services.transcriber.domain.crosstalk import CrosstalkRule, Frames, gate_db, is_leak
from services.transcriber.domain.packing import PackingRule, cut_long, pack
from services.transcriber.domain.speech import SpeechRule, find_pieces
from services.transcriber.domain.timeline import Piece
from services.transcriber.domain.windows import Window


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides what the engine hears."""

    speech: SpeechRule = field(default_factory=SpeechRule)
    crosstalk: CrosstalkRule = field(default_factory=CrosstalkRule)
    packing: PackingRule = field(default_factory=PackingRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFrames:
    """A channel as measured, one value per frame; all channels of a call are equally long.

    Attributes:
        probabilities: Of speech.
        levels_db: RMS level, dB full scale.
        samples: The channel's length.
        silent: Not one frame holds a sound: the line was not recorded.
    """

    probabilities: Frames
    levels_db: Frames
    samples: int
    silent: bool


@dataclass(frozen=True, slots=True)
class ChannelSpeech:
    """A channel's own speech, and what only leaked into it."""

    own: tuple[Piece, ...]
    leaks: tuple[Piece, ...]


def separate(channels: Sequence[ChannelFrames], rules: Rules) -> list[ChannelSpeech]:
    """Each channel's own speech, leaks taken out."""
    return [
        _own_speech(channel, [other.levels_db for other in channels if other is not channel], rules)
        for channel in channels
    ]


def _own_speech(channel: ChannelFrames, others_db: list[Frames], rules: Rules) -> ChannelSpeech:
    pieces = find_pieces(np.asarray(channel.probabilities).tolist(), channel.samples, rules.speech)
    if not others_db:
        return ChannelSpeech(tuple(pieces), ())
    gate = gate_db(others_db, rules.crosstalk)
    leaking = [is_leak(piece, channel.levels_db, channel.probabilities, gate, rules.crosstalk) for piece in pieces]
    return ChannelSpeech(
        tuple(piece for piece, leak in zip(pieces, leaking, strict=True) if not leak),
        tuple(piece for piece, leak in zip(pieces, leaking, strict=True) if leak),
    )


def windows_of(
    own: Sequence[Piece], levels_db: Frames, *, call: str, channel: int, pcm: Path, rule: PackingRule
) -> list[Window]:
    """A channel's windows, in order."""
    groups = pack(list(cut_long(own, levels_db, rule)), rule)
    return [
        Window(call=call, channel=channel, index=index, pieces=group, pcm=pcm) for index, group in enumerate(groups)
    ]
