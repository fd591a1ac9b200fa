"""Recordings that are nothing but samples: G.711 as exchanges write it. What they hold is said by whoever uploads them.

Their media type carries what was said, so that event and store describe the bytes, which stay as they came:
`audio/pcma;rate=8000;channels=2`, the names and parameters of RFC 4856. Called by ingest, `probe` and `decode`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, Self

from pipeline.audio.contract import Probe
from pipeline.audio.wav_header import ALAW, MULAW, WavFormat, WavHeader

Codec = Literal["alaw", "ulaw"]

_TAGS: Final[dict[Codec, int]] = {"alaw": ALAW, "ulaw": MULAW}
_MEDIA_TYPES: Final[dict[Codec, str]] = {"alaw": "audio/pcma", "ulaw": "audio/pcmu"}
_MEDIA_TYPE: Final = re.compile(r"(audio/pcm[au]);rate=([0-9]{1,6});channels=([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Headerless:
    """What was said of a recording without a header; believed, because nothing else says anything.

    Attributes:
        codec: `alaw` or `ulaw`: one byte is one sample of one channel.
        sample_rate_hz: The native rate.
        channels: How many, interleaved.
    """

    codec: Codec
    sample_rate_hz: int
    channels: int

    @classmethod
    def parse(cls, media_type: str) -> Self | None:
        """What a media type says; None where it is another one."""
        match = _MEDIA_TYPE.fullmatch(media_type)
        if match is None:
            return None
        codec = next(codec for codec, name in _MEDIA_TYPES.items() if name == match[1])
        return cls(codec, int(match[2]), int(match[3]))

    @property
    def media_type(self) -> str:
        """What carries this in the event."""
        return f"{_MEDIA_TYPES[self.codec]};rate={self.sample_rate_hz};channels={self.channels}"

    def probe(self, size_bytes: int) -> Probe:
        """What is known of so many bytes, without looking at one."""
        return Probe(
            media_type=self.media_type,
            declared_duration_ms=size_bytes // self.channels * 1000 // self.sample_rate_hz,
            sample_rate_hz=self.sample_rate_hz,
            channels=self.channels,
        )

    def wav_header(self, size_bytes: int) -> WavHeader:
        """The header that these bytes would have as a WAV file."""
        wav = WavFormat(
            tag=_TAGS[self.codec],
            channels=self.channels,
            sample_rate_hz=self.sample_rate_hz,
            byte_rate=self.sample_rate_hz * self.channels,
            block_align_bytes=self.channels,
            bits=8,
            extra=b"",
        )
        return WavHeader(format=wav, data_offset=0, declared_bytes=size_bytes, present_bytes=size_bytes)
