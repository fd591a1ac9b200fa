"""FFmpeg (PyAV) behind `AudioReader`: what libsndfile does not take, and a second try at what it stumbled over.

FFmpeg reads only the file object that it is given, in the format that it is told; it opens nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, NoReturn

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from pipeline.audio.reader import Block, CannotOpen
from pipeline.errors import CallFault

_SCALES: Final = {1: (128.0, 1 / 128), 2: (0.0, 1 / 32_768), 4: (0.0, 1 / 2_147_483_648), 8: (0.0, 2.0**-63)}
"""Zero and scale of integer samples, by their bytes."""


class PyAvReader:
    """The first audio stream of an open container."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self.damaged = False
        self._frames = self._decode()
        # The codec's word, not the container's: AAC with SBR comes out at twice the rate that the header names.
        self._first = next(self._frames, None)
        self.sample_rate_hz = stream.codec_context.sample_rate if self._first is None else self._first.sample_rate
        self.channels = stream.codec_context.channels if self._first is None else self._first.layout.nb_channels

    @property
    def declared_duration_s(self) -> float | None:
        """What the container claims for this stream."""
        return declared_duration_s(self._container, self._stream)

    def blocks(self) -> Iterator[Block]:
        """See AudioReader."""
        frame = self._first
        while frame is not None:
            if frame.sample_rate != self.sample_rate_hz or frame.layout.nb_channels != self.channels:
                self.damaged = True
                return
            yield _samples(frame)
            frame = next(self._frames, None)

    def _decode(self) -> Iterator[AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except MemoryError:  # FFmpeg's own is an FFmpegError too
                    raise
                except (av.FFmpegError, ValueError):
                    self.damaged = True
                    continue
                for frame in frames:
                    if frame.samples:
                        yield frame
        except MemoryError:
            raise
        except av.FFmpegError:
            self.damaged = True


@contextmanager
def open_pyav(file: BinaryIO, ffmpeg_format: str) -> Iterator[PyAvReader]:
    """Open a file in a format that is known already.

    Args:
        file: Read and sought in; stays its owner's.
        ffmpeg_format: The demuxer's name; no other is tried.

    Raises:
        CannotOpen: FFmpeg does not take it.
        CallFault: unsupported_codec, no_audio (a container without sound).
    """
    with open_container(file, ffmpeg_format) as container:
        stream = audio_stream(container)
        if stream is None:
            raise CallFault("no_audio")
        yield PyAvReader(container, stream)


@contextmanager
def open_container(file: BinaryIO, ffmpeg_format: str) -> Iterator[InputContainer]:
    """Open a container, its streams not looked at.

    Raises:
        CannotOpen: FFmpeg does not take it.
    """
    file.seek(0)
    try:
        container = av.open(file, mode="r", format=ffmpeg_format, metadata_errors="replace", io_open=_open_nothing_else)
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError, OSError) as error:
        raise CannotOpen from error
    with container:
        yield container


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The first audio stream, set up to decode on this thread; None when there is none.

    Raises:
        CallFault: unsupported_codec.
    """
    stream = next(iter(container.streams.audio), None)
    if stream is None:
        return None
    context: AudioCodecContext | None = stream.codec_context  # PyAV's types forget the codecs that FFmpeg lacks
    if context is None:
        raise CallFault("unsupported_codec", found="a codec that FFmpeg does not know")
    context.thread_count = 1
    return stream


def declared_duration_s(container: InputContainer, stream: AudioStream) -> float | None:
    """What the header claims; None for nothing."""
    if stream.duration is not None and stream.time_base is not None:
        return max(0.0, float(stream.duration * stream.time_base)) or None
    if container.duration is not None:
        return max(0.0, container.duration / av.time_base) or None
    return None


def _samples(frame: AudioFrame) -> Block:
    samples = frame.to_ndarray()
    planar = samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T
    if planar.dtype.kind == "f":
        return planar.T.astype(np.float32)
    zero, scale = _SCALES[planar.dtype.itemsize]
    return ((planar.T.astype(np.float32) - np.float32(zero)) * np.float32(scale)).astype(np.float32)


def _open_nothing_else(*_: object) -> NoReturn:
    raise PermissionError("a recording may not name other files")
