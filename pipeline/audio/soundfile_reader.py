"""libsndfile behind `AudioReader`: WAV and its codecs, FLAC, Ogg Vorbis and Opus, MP3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import soundfile

from pipeline.audio.reader import BLOCK_FRAMES, Block, CannotOpen

_UNKNOWN_FRAMES: Final = 1 << 62
"""libsndfile's SF_COUNT_MAX is above this."""


class SoundFileReader:
    """One open file of libsndfile's."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file
        self.sample_rate_hz: int = file.samplerate
        self.channels: int = file.channels
        self.damaged = False

    @property
    def declared_duration_s(self) -> float | None:
        """What the header claims, or libsndfile's estimate (MP3 without a length) or search (Ogg's last page)."""
        frames = self._file.frames
        return frames / self.sample_rate_hz if 0 < frames < _UNKNOWN_FRAMES and self.sample_rate_hz > 0 else None

    def blocks(self) -> Iterator[Block]:
        """See AudioReader."""
        while True:
            try:
                block: Block = self._file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:
                self.damaged = True
                return
            if len(block) == 0:
                return
            yield block


@contextmanager
def open_soundfile(file: BinaryIO | int) -> Iterator[SoundFileReader]:
    """Open a file that libsndfile finds out about by itself.

    Args:
        file: A descriptor, which libsndfile reads without coming back to Python, or a view. Stays its owner's.

    Raises:
        CannotOpen: libsndfile does not take it.
    """
    if isinstance(file, int):
        os.lseek(file, 0, os.SEEK_SET)
    try:
        opened = soundfile.SoundFile(file, closefd=False)
    except soundfile.LibsndfileError as error:
        raise CannotOpen from error
    with opened:
        yield SoundFileReader(opened)
