"""Which pieces are only the other channel leaking in. Called by `domain.preparation`, before packing.

A leak decodes not as a copy of what was said but as invented words of the wrong person, so it must go before the
engine hears it. It is told by its level: it comes up to a quarter of a second after the other channel's sound and well
below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.transcriber.domain.timeline import FRAME_S, Piece

Frames = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrosstalkRule:
    """How a leak is told.

    Attributes:
        delay_s: A leak follows its source within this time.
        attenuation_db: A leak is at least so far below its source.
        active_probability: A frame this likely to be speech counts as active.
        min_own_share: A piece with a smaller share of active frames above the gate is a leak.
    """

    delay_s: float = 0.25
    attenuation_db: float = 15.0
    active_probability: float = 0.5
    min_own_share: float = 0.3


def gate_db(other_levels_db: Sequence[Frames], rule: CrosstalkRule) -> Frames:
    """Per frame, the level below which a sound may be the other channels' leak.

    Args:
        other_levels_db: Levels of all other channels, per frame, of equal length; at least one.
        rule: How a leak is told.
    """
    loudest: Frames = np.max(np.stack(other_levels_db), axis=0)
    gate = loudest.copy()
    for delay in range(1, min(round(rule.delay_s / FRAME_S) + 1, len(loudest))):
        np.maximum(gate[delay:], loudest[:-delay], out=gate[delay:])
    return gate - np.float32(rule.attenuation_db)


def is_leak(piece: Piece, levels_db: Frames, probabilities: Frames, gate: Frames, rule: CrosstalkRule) -> bool:
    """Whether too little of the piece's voice stands above the gate to be its channel's own."""
    frames = piece.speech.frames
    active = probabilities[frames] >= rule.active_probability
    if not active.any():
        return False
    own = levels_db[frames][active] > gate[frames][active]
    return bool(own.mean() < rule.min_own_share)
