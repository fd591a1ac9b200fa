"""What a file is, by its first bytes; its name and its declared type are nobody's business.

Called by ingest before anything is accepted and by `probe` and `decode` before any decoder sees the file: what is not
one of our audio types never reaches one. A playlist, for one, would make FFmpeg open what it lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import puremagic

from pipeline.audio import adts, frames, mpeg
from pipeline.audio.media_types import AAC, AMR, AMR_WB, AUDIO_TYPES, FLAC, MP3, MP4, OGG, WAV

SNIFF_BYTES: Final = 4096
"""How much of a file's start `sniff` wants to see; less is fine."""

_EMPTY: Final = "application/x-empty"
UNKNOWN: Final = "application/octet-stream"
_TEXT: Final = "text/plain"
# puremagic takes any zip for a Word file, and knows these only in their plainest form.
_PREFIXES: Final = (
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (b"ID3", MP3),
    (b"#!AMR\n", AMR),
    (b"#!AMR-WB\n", AMR_WB),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_FRAMED: Final = ((MP3, mpeg.HEADER_BYTES, mpeg.frame_bytes), (AAC, adts.HEADER_BYTES, adts.frame_bytes))
"""Types told by sync words, which two bytes of anything may happen to be."""
_SURE_FRAMES: Final = 3
_TEXT_PREFIXES: Final = (
    (b"#extm3u", "application/vnd.apple.mpegurl"),
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
)
_IMAGE_BRANDS: Final = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx "})
_TEXT_CONTROLS: Final = frozenset(b"\t\n\f\r\x1b")
_FIRST_PRINTABLE: Final = 0x20
_UTF8_LONGEST: Final = 4
_LEAST_CONFIDENCE: Final = 0.3
"""puremagic's confidence of a signature of three bytes; shorter ones turn up by chance."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the bytes are.

    Attributes:
        media_type: `application/octet-stream` when nobody knows.
        is_audio: Whether it is a type that `decode` takes.
    """

    media_type: str
    is_audio: bool


def sniff(head: bytes) -> Sniffed:
    """Tell what a file is.

    Args:
        head: Its first bytes; SNIFF_BYTES of them suffice. Any bytes at all: this never raises.
    """
    media_type = _media_type(bytes(head[:SNIFF_BYTES]))
    return Sniffed(media_type, media_type in AUDIO_TYPES)


def sniff_declared(head: bytes) -> Sniffed | None:
    """What a file is that was declared to have no header; None where nothing speaks against that.

    Samples may look like anything for a few bytes. They never are printable text with gaps (that would be a full swing
    to one side only), nor do they hold a signature of ours or frame after frame of MP3.
    """
    sniffed = sniff(head)
    framed = next((one for one in _FRAMED if one[0] == sniffed.media_type), None)
    if framed is not None and not head.startswith(b"ID3"):
        return sniffed if frames.count_frames(head[:SNIFF_BYTES], *framed[1:]) >= _SURE_FRAMES else None
    if sniffed.is_audio or head.startswith(tuple(prefix for prefix, _ in _PREFIXES)):
        return sniffed
    spaced_text = _text_type(bytes(head[:SNIFF_BYTES])) is not None and any(gap in head for gap in b" \n")
    return sniffed if spaced_text else None


def _media_type(head: bytes) -> str:
    if not head:
        return _EMPTY
    for prefix, media_type in _PREFIXES:
        if head.startswith(prefix):
            return media_type
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return WAV
    if head[4:8] == b"ftyp":
        return "image/heif" if head[8:12] in _IMAGE_BRANDS else MP4
    for media_type, header_bytes, frame_bytes in _FRAMED:
        if frames.starts_stream(head, header_bytes, frame_bytes):
            return media_type
    return _text_type(head) or _puremagic_type(head)


def _text_type(head: bytes) -> str | None:
    """The kind of text; None when it is none."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for prefix, media_type in _TEXT_PREFIXES:
        if start.startswith(prefix):
            return media_type
    if any(byte < _FIRST_PRINTABLE and byte not in _TEXT_CONTROLS for byte in head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_by_us = len(head) == SNIFF_BYTES and error.start > len(head) - _UTF8_LONGEST
        return _TEXT if cut_by_us else None
    named = _puremagic_type(head)
    return _TEXT if named == UNKNOWN else named


def _puremagic_type(head: bytes) -> str:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError, LookupError):
        return UNKNOWN
    for match in matches:
        # What only puremagic takes for one of ours is not: its type would open the decoders' door.
        if match.confidence >= _LEAST_CONFIDENCE and match.mime_type and match.mime_type not in AUDIO_TYPES:
            return str(match.mime_type)
    return UNKNOWN
