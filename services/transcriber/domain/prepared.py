"""A call made ready for the engine: the value that crosses the front end's port. See `ports.FrontEnd`."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.transcriber.domain.signal import Signal
from services.transcriber.domain.timeline import Piece
from services.transcriber.domain.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedChannel:
    """A channel of the recording.

    Attributes:
        silent: Digital silence from end to end: this side was not recorded.
        leaks: Pieces that are only the other side leaking in; no window holds them.
        signal: How well it was recorded.
    """

    silent: bool = False
    leaks: tuple[Piece, ...] = ()
    signal: Signal = field(default_factory=Signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """What decoding and listening for speech found.

    Attributes:
        duration_s: Decoded length.
        declared_duration_s: What the file's header claims; None if it claims nothing.
        truncated: Less was decoded than declared, or the file broke off.
        identical_channels: All channels carry the same voices; only the first has windows.
        channels: All channels of the recording, by index.
        windows: Of all channels, by channel and index.
        decode_ms: Time that decoding took.
        vad_ms: Time that listening for speech took.
        features_ms: Time that the windows' spectra took.
    """

    duration_s: float
    declared_duration_s: float | None = None
    truncated: bool = False
    identical_channels: bool = False
    channels: tuple[PreparedChannel, ...]
    windows: tuple[Window, ...]
    decode_ms: int = 0
    vad_ms: int = 0
    features_ms: int = 0
