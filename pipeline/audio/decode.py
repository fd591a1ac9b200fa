"""Decode a recording into one file of 16 kHz samples per channel, in a stream: memory does not grow with its length.

Called in a limited child process (see `work`) by the transcriber's front end. Next come VAD and windows, which read the files.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pipeline.audio.channel_files import ChannelFiles
from pipeline.audio.contract import DecodedAudio, DecodeLimits
from pipeline.audio.likeness import Likeness
from pipeline.audio.plan import Plan, plan_of
from pipeline.audio.reader import AudioReader, CannotOpen, sound_blocks
from pipeline.audio.stream_check import check_stream
from pipeline.errors import CallFault

_TOLERANCE_S: Final = 0.5
_TOLERANCE_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one decoder made of the file."""

    files: ChannelFiles
    frames: int
    sample_rate_hz: int
    declared_duration_s: float | None
    damaged: bool
    identical_channels: bool


def decode(source: Path, out_dir: Path, limits: DecodeLimits, *, media_type: str = "") -> DecodedAudio:
    """Decode what is there, whatever the header says.

    Args:
        source: Any file; its name does not matter.
        out_dir: An existing folder for the channels' files; nothing stays there after a fault.
        limits: What is taken.
        media_type: As accepted. Believed only where it describes a file without a header; else the bytes tell.

    Raises:
        CallFault: no_audio, invalid_header, unsupported_codec, too_long, too_many_channels.
        Transient: `out_dir` takes no more.
        OSError: `source` cannot be read.
    """
    with source.open("rb") as file:
        media_type, plan = plan_of(file, media_type)
        attempt = _best_attempt(plan, out_dir, limits)
    if attempt is None:
        raise CallFault("invalid_header", found=f"unreadable {media_type}")
    duration_s = attempt.frames / attempt.sample_rate_hz
    if duration_s < limits.min_duration_s:
        _discard(attempt)
        raise CallFault("no_audio")
    return DecodedAudio(
        channels=attempt.files.paths,
        samples=attempt.files.samples,
        duration_s=duration_s,
        sample_rate_hz=attempt.sample_rate_hz,
        declared_duration_s=attempt.declared_duration_s,
        truncated=attempt.damaged or not plan.whole or _falls_short(duration_s, attempt.declared_duration_s),
        identical_channels=attempt.identical_channels,
        media_type=media_type,
    )


def _best_attempt(plan: Plan, out_dir: Path, limits: DecodeLimits) -> _Attempt | None:
    """The first decoder that gets through; if none does, the one that got furthest."""
    best: _Attempt | None = None
    for number, opener in enumerate(plan.openers):
        try:
            attempt = _attempt(opener, plan, out_dir, f"channel-{number}", limits)
        except CannotOpen:
            continue
        except CallFault as fault:
            if best is None or fault.reason == "too_long":
                _discard(best)
                raise
            continue
        if best is not None:
            shorter, longer = sorted((best, attempt), key=lambda each: each.frames / each.sample_rate_hz)
            _discard(shorter)
            return replace(longer, damaged=True)
        best = attempt
        if plan.whole and not attempt.damaged:
            break
    return best


def _discard(attempt: _Attempt | None) -> None:
    if attempt is not None:
        attempt.files.discard()


def _attempt(
    opener: Callable[[], AbstractContextManager[AudioReader]],
    plan: Plan,
    out_dir: Path,
    prefix: str,
    limits: DecodeLimits,
) -> _Attempt:
    with opener() as reader:
        rate_hz, channels = reader.sample_rate_hz, reader.channels
        check_stream(rate_hz, channels, limits.max_channels)
        declared_s = plan.declared_duration_s(reader)
        likeness, frames = Likeness(channels), 0
        with ChannelFiles(out_dir, prefix, sample_rate_hz=rate_hz, channels=channels) as files:
            for block in sound_blocks(reader):
                frames += len(block)
                if frames > limits.max_duration_s * rate_hz:
                    found_s = max(frames / rate_hz, declared_s or 0.0)
                    raise CallFault("too_long", limit_s=f"{limits.max_duration_s:g}", found_s=f"{found_s:.1f}")
                likeness.add(block)
                files.add(block)
            files.finish()
        return _Attempt(files, frames, rate_hz, declared_s, reader.damaged, likeness.identical)


def _falls_short(duration_s: float, declared_s: float | None) -> bool:
    return declared_s is not None and duration_s < declared_s - max(_TOLERANCE_S, declared_s * _TOLERANCE_SHARE)
