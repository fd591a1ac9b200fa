"""One file of 16 kHz samples per channel, written while the recording is read. Used by `decode` only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import soxr

from pipeline.audio.contract import DECODED_RATE_HZ
from pipeline.audio.reader import Block
from pipeline.errors import Transient


class ChannelFiles:
    """Takes blocks at the native rate, splits them, brings each channel to 16 kHz and appends it to its file.

    Args:
        out_dir: An existing folder.
        prefix: How the files' names start.
        sample_rate_hz: The native rate.
        channels: How many.
    """

    def __init__(self, out_dir: Path, prefix: str, *, sample_rate_hz: int, channels: int) -> None:
        self.paths = tuple(out_dir / f"{prefix}-{index}.f32" for index in range(channels))
        self.samples = 0
        self._resampler = (
            None
            if sample_rate_hz == DECODED_RATE_HZ
            else soxr.ResampleStream(sample_rate_hz, DECODED_RATE_HZ, channels, dtype="float32", quality="HQ")
        )
        self._channels = channels
        self._stack = ExitStack()
        self._files: list[BinaryIO] = []

    def __enter__(self) -> Self:
        with _store_errors():
            self._files = [self._stack.enter_context(path.open("wb")) for path in self.paths]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _store_errors():
            self._stack.close()
        if kind is not None:
            self.discard()

    def add(self, block: Block) -> None:
        """Append a block of shape (frames, channels), native rate.

        Raises:
            Transient: The folder takes no more.
        """
        self._write(block if self._resampler is None else self._resampler.resample_chunk(block))

    def finish(self) -> None:
        """Append what the resampler still holds; nothing may be added after this."""
        if self._resampler is not None:
            self._write(self._resampler.resample_chunk(np.zeros((0, self._channels), np.float32), last=True))

    def discard(self) -> None:
        """Remove the files."""
        for path in self.paths:
            path.unlink(missing_ok=True)

    def _write(self, block: Block) -> None:
        # Resampling overshoots at full scale.
        samples = np.clip(block, -1.0, 1.0).astype("<f4", copy=False)
        with _store_errors():
            for index, file in enumerate(self._files):
                file.write(np.ascontiguousarray(samples[:, index]).data)
        self.samples += len(samples)


@contextmanager
def _store_errors() -> Iterator[None]:
    """A folder that is full or gone is not the call's fault."""
    try:
        yield
    except OSError as error:
        raise Transient(f"decoded samples cannot be written: {error.strerror}") from error
