"""Which frames are only the other channel leaking in. Called by `domain.preparation`, before pieces are cut.

A leak decodes not as a copy of what was said but as invented words of the wrong person, so it must go before the
engine hears it. It is told by its level: it comes up to a quarter of a second after the other channel's sound and well
below it. Told frame by frame, because a person often answers into the end of a leak: one piece would hold both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.transcriber.domain.timeline import FRAME_S

Frames = NDArray[np.float32]
#: Below any gate.
_NOTHING_DB: Final = -200.0

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrosstalkRule:
    """How a leak is told.

    Attributes:
        delay_s: A leak follows its source within this time.
        attenuation_db: A leak is at least so far below its source.
        active_probability: A frame this likely to be speech counts as active.
        source_probability: Around frames this likely to be speech a channel may leak into others.
        min_own_share: A frame is a leak if of the active frames around it a smaller share stands above the gate.
        around_s: How far around it, on both sides.
        min_leak_s: A shorter leak stays where it is: it may be the soft end of a word.
    """

    delay_s: float = 0.25
    attenuation_db: float = 15.0
    active_probability: float = 0.5
    source_probability: float = 0.35
    min_own_share: float = 0.3
    around_s: float = 0.32
    min_leak_s: float = 0.25


def heard_db(levels_db: Frames, probabilities: Frames, rule: CrosstalkRule) -> Frames:
    """Levels of what may leak: of the frames around a voice. A line's steady noise, however loud, is no source.

    Args:
        levels_db: A channel's level.
        probabilities: Of speech on it.
        rule: How a leak is told.
    """
    near = _count_around(probabilities >= rule.source_probability, round(rule.around_s / FRAME_S)) > 0
    return np.where(near, levels_db, np.float32(_NOTHING_DB))


def gate_db(other_levels_db: Sequence[Frames], rule: CrosstalkRule) -> Frames:
    """Per frame, the level below which a sound may be the other channels' leak.

    Args:
        other_levels_db: From `heard_db` of all other channels, of equal length; at least one.
        rule: How a leak is told.
    """
    loudest: Frames = np.max(np.stack(other_levels_db), axis=0)
    gate = loudest.copy()
    for delay in range(1, min(round(rule.delay_s / FRAME_S) + 1, len(loudest))):
        np.maximum(gate[delay:], loudest[:-delay], out=gate[delay:])
    return gate - np.float32(rule.attenuation_db)


def leaking(levels_db: Frames, probabilities: Frames, gate: Frames, rule: CrosstalkRule) -> Flags:
    """Per frame, whether the voice heard around it is the other channels'.

    Args:
        levels_db: The channel's level.
        probabilities: Of speech on it.
        gate: From `gate_db` of the other channels.
        rule: How a leak is told.
    """
    active = probabilities >= rule.active_probability
    width = round(rule.around_s / FRAME_S)
    voices = _count_around(active, width)
    own = _count_around(active & (levels_db > gate), width)
    return (voices > 0) & (own < rule.min_own_share * voices)


def _count_around(flags: Flags, width: int) -> NDArray[np.int64]:
    """How many of the frames from `width` before to `width` after each are set."""
    total = np.concatenate([[0], np.cumsum(flags, dtype=np.int64)])
    frame = np.arange(len(flags))
    return np.asarray(
        total[np.minimum(frame + width + 1, len(flags))] - total[np.maximum(frame - width, 0)], dtype=np.int64
    )
