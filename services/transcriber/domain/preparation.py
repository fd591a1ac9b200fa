"""What one channel's frames mean for all: pieces, leaks, windows. Called by `adapters.front_end` in its child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from services.transcriber.domain.crosstalk import CrosstalkRule, Flags, Frames, gate_db, heard_db, leaking
from services.transcriber.domain.likeness import LikenessRule
from services.transcriber.domain.packing import PackingRule, cut_long, pack, quietest_sample
from services.transcriber.domain.speech import SpeechRule, find_pieces
from services.transcriber.domain.timeline import Piece
from services.transcriber.domain.windows import Window

#: Of how channels become windows: the split, digital silence, speech, leaks, copies of a channel, packing and its tails, cuts.
#: Raised with every change of it that the values of `Rules` do not tell.
VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides what the engine hears."""

    speech: SpeechRule = field(default_factory=SpeechRule)
    crosstalk: CrosstalkRule = field(default_factory=CrosstalkRule)
    likeness: LikenessRule = field(default_factory=LikenessRule)
    packing: PackingRule = field(default_factory=PackingRule)

    @property
    def parameters(self) -> dict[str, str | float]:
        """Every value of every rule, as they stand in a transcript's provenance."""
        rooms: dict[str, SpeechRule | CrosstalkRule | LikenessRule | PackingRule] = {
            "vad_": self.speech,
            "crosstalk_": self.crosstalk,
            "likeness_": self.likeness,
            "": self.packing,
        }
        values = {f"{room}{name}": value for room, rule in rooms.items() for name, value in asdict(rule).items()}
        return {"preparation": VERSION, **values}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFrames:
    """A channel as measured, one value per frame; all channels of a call are equally long.

    Attributes:
        probabilities: Of speech.
        levels_db: RMS level, dB full scale.
        samples: The channel's length.
        clipped: Whether the frame touches the end of the scale.
        silent: Not one frame holds a sound: the line was not recorded.
    """

    probabilities: Frames
    levels_db: Frames
    clipped: Flags
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
        _own_speech(
            channel,
            [
                heard_db(other.levels_db, other.probabilities, rules.crosstalk)
                for other in channels
                if other is not channel
            ],
            rules,
        )
        for channel in channels
    ]


def _own_speech(channel: ChannelFrames, others_db: list[Frames], rules: Rules) -> ChannelSpeech:
    if not others_db:
        return ChannelSpeech(_pieces(channel.probabilities, channel.samples, rules.speech), ())
    gate = gate_db(others_db, rules.crosstalk)
    leak = leaking(channel.levels_db, channel.probabilities, gate, rules.crosstalk)
    longer = replace(rules.speech, min_speech_s=rules.crosstalk.min_leak_s)
    leaks = _pieces(np.where(leak, channel.probabilities, 0), channel.samples, longer)
    taken_out = np.zeros_like(leak)
    for piece in leaks:
        taken_out[piece.speech.frames] = leak[piece.speech.frames]
    own = _pieces(np.where(taken_out, 0, channel.probabilities), channel.samples, rules.speech)
    return ChannelSpeech(own, leaks)


def _pieces(probabilities: Frames, samples: int, rule: SpeechRule) -> tuple[Piece, ...]:
    return tuple(find_pieces(probabilities.tolist(), samples, rule))


def windows_of(
    own: Sequence[Piece], levels_db: Frames, *, call: str, channel: int, pcm: Path, rule: PackingRule
) -> list[Window]:
    """A channel's windows, in order."""
    groups = pack(list(cut_long(own, levels_db, rule)), levels_db, rule)
    return [
        Window(
            call=call, channel=channel, index=index, pieces=group, pcm=pcm, quietest=quietest_sample(group, levels_db)
        )
        for index, group in enumerate(groups)
    ]
