"""What goes into probing and decoding and what comes out: small values that travel between processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

DECODED_RATE_HZ: Final = 16_000
"""The sample rate of every decoded channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a file's header says, believed by nobody; None where it says nothing.

    Attributes:
        media_type: What the content is, by its first bytes, e.g. `audio/wav`.
        declared_duration_ms: The declared length; headers lie (0, 4 GB, unfinished).
        sample_rate_hz: The native rate.
        channels: How many.
    """

    media_type: str
    declared_duration_ms: int | None
    sample_rate_hz: int | None
    channels: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """What is taken of a recording.

    Attributes:
        max_duration_s: Longer ones are refused as soon as that much is decoded, whatever the header says.
        max_channels: More are refused.
        min_duration_s: Shorter ones hold no audio.
    """

    max_duration_s: float = 4 * 3600.0
    max_channels: int = 2
    min_duration_s: float = 1.0


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """Decode this file into that existing folder (one folder per recording); the media type as accepted, see `decode`."""

    source: Path
    out_dir: Path
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedAudio:
    """A decoded recording.

    Attributes:
        channels: One file per channel, in the recording's order: raw little-endian float32 in [-1, 1], mono, 16 kHz.
        samples: Samples in each of these files.
        duration_s: What was decoded, counted at the native rate.
        sample_rate_hz: The native rate.
        declared_duration_s: What the header claims; None where it claims nothing (0, or a format without a length).
        truncated: Something is missing: less was decoded than declared, by more than 0.5 s or 1 %, or the decoder met
            damage on its way (what it could decode is here).
        identical_channels: More than one channel, and all carry the same sound (differences under -50 dB, offsets
            apart). False for digital silence, which tells nothing.
        media_type: What the content is, by its first bytes.
    """

    channels: tuple[Path, ...]
    samples: int
    duration_s: float
    sample_rate_hz: int
    declared_duration_s: float | None
    truncated: bool
    identical_channels: bool
    media_type: str


FULL_SCALE: Final = 10_000
"""The highest peak of an outline. Speech on the telephone is often at a twentieth of it."""


@dataclass(frozen=True, slots=True)
class OutlineRequest:
    """Draw this file's outline.

    Attributes:
        source: Any file; its name does not matter.
        media_type: As accepted, see `decode`.
        points: At most so many of each channel.
        max_duration_s: Longer ones have no outline.
        max_channels: Nor have those with more.
    """

    source: Path
    media_type: str
    points: int
    max_duration_s: float = 4 * 3600.0
    max_channels: int = 2


@dataclass(frozen=True, slots=True)
class Outline:
    """How loud a recording is over time.

    Attributes:
        duration_s: What was decoded.
        peaks: Of each channel, at equal distances, 0 to FULL_SCALE.
    """

    duration_s: float
    peaks: tuple[tuple[int, ...], ...]
