"""Factories for child processes. The decoders are loaded in the child only: its parent never holds native code that reads strangers' bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.audio.contract import DecodedAudio, DecodeLimits, DecodeRequest, Outline, OutlineRequest, Probe


def prober() -> Callable[[Path], Probe]:
    """For `ChildProcess` or `ChildPool`: a child that tells what a file's header says."""
    from pipeline.audio.probe import probe  # noqa: PLC0415 - loaded in the child only, see above

    return probe


def decoder(limits: DecodeLimits) -> Callable[[DecodeRequest], DecodedAudio]:
    """For `ChildProcess`, as `partial(decoder, limits)`: a child that decodes recordings.

    Its errors are those of `pipeline.audio.decode.decode`.
    """
    from pipeline.audio.decode import decode  # noqa: PLC0415 - loaded in the child only, see above

    return lambda request: decode(request.source, request.out_dir, limits, media_type=request.media_type)


def outliner() -> Callable[[OutlineRequest], Outline]:
    """For `ChildProcess` or `ChildPool`: a child that draws outlines. Its errors are those of `pipeline.audio.outline`."""
    from pipeline.audio.outline import outline  # noqa: PLC0415 - loaded in the child only, see above

    return outline
