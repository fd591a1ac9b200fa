"""What no recording can be, whichever header says so. Called by `decode` before and after a decoder looked."""

from __future__ import annotations

from typing import Final

from pipeline.errors import CallFault

_RATES_HZ: Final = range(2_000, 384_001)
_CHANNELS: Final = range(1, 65)


def check_stream(sample_rate_hz: int, channels: int, max_channels: int | None = None) -> None:
    """Refuse the impossible, then the unwanted.

    Args:
        sample_rate_hz: What is claimed.
        channels: What is claimed.
        max_channels: How many are taken; None leaves that to a later call.

    Raises:
        CallFault: invalid_header, too_many_channels.
    """
    if sample_rate_hz not in _RATES_HZ:
        raise CallFault("invalid_header", found=f"{sample_rate_hz} Hz")
    if channels not in _CHANNELS:
        raise CallFault("invalid_header", found=f"{channels} channels")
    if max_channels is not None and channels > max_channels:
        raise CallFault("too_many_channels", found=channels, limit=max_channels)
