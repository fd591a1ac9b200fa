from __future__ import annotations

import io
import json
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.audio import SNIFF_BYTES, Sniffed, sniff
from tests.integration.pipeline.audio import make

SOUND = make.stereo(2.0)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (make.by_soundfile(SOUND, "WAV", "ALAW"), "audio/wav"),
        (make.by_soundfile(SOUND, "RF64", "PCM_16"), "audio/wav"),
        (make.by_soundfile(SOUND, "FLAC", "PCM_16"), "audio/flac"),
        (make.by_soundfile(SOUND, "OGG", "VORBIS"), "audio/ogg"),
        (make.by_soundfile(SOUND, "OGG", "OPUS"), "audio/ogg"),
        (make.by_soundfile(SOUND, "MP3", "MPEG_LAYER_III"), "audio/mpeg"),
        (make.by_soundfile(SOUND, "MP3", "MPEG_LAYER_III", rate_hz=44_100), "audio/mpeg"),
        (make.by_ffmpeg(SOUND, "mp3", "libmp3lame"), "audio/mpeg"),
        (make.by_ffmpeg(SOUND, "mp3", "libmp3lame", write_xing="0", id3v2_version="0"), "audio/mpeg"),
        (make.by_ffmpeg(SOUND, "ipod", "aac"), "audio/mp4"),
        (make.by_ffmpeg(SOUND[:, 0], "amr", "libopencore_amrnb"), "audio/amr"),
        (make.by_ffmpeg(SOUND, "adts", "aac"), "audio/aac"),
        (make.amr_wb(1.0), "audio/amr-wb"),
    ],
)
def test_audio_is_known_by_its_content(data: bytes, media_type: str) -> None:
    assert sniff(data) == Sniffed(media_type, is_audio=True)
    assert sniff(data[:SNIFF_BYTES]) == sniff(data)


def zip_of(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "content")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"", "application/x-empty"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(100), "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "image/png"),
        (b"\0\0\0\x20ftypheic" + bytes(30), "image/heif"),
        (zip_of("call.wav"), "application/zip"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://169.254.169.254/\n", "application/vnd.apple.mpegurl"),
        (b"\xef\xbb\xbf \r\n#extm3u\nfile:///etc/passwd\n", "application/vnd.apple.mpegurl"),
        (b"<!DOCTYPE html><html></html>", "text/html"),
        (b"\n\n<HTML><body>404</body></HTML>", "text/html"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text/plain"),
        ("Здравствуйте, оператор Анна".encode(), "text/plain"),
        (("ф" * SNIFF_BYTES).encode()[1:], "application/octet-stream"),
        ("x" + "ф" * SNIFF_BYTES, "text/plain"),
        ("Здравствуйте".encode("utf-16"), "application/octet-stream"),
        (json.dumps({"a": [1, 2]}).encode(), "text/plain"),
        (bytes(SNIFF_BYTES), "application/octet-stream"),
        (b"RIFF\x24\0\0\0AVI LIST" + bytes(60), "video/avi"),
        (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(60), "application/octet-stream"),
        (b"MZ" + bytes(100), "application/octet-stream"),
    ],
)
def test_other_things_are_named_and_are_no_audio(data: bytes | str, media_type: str) -> None:
    content = data.encode() if isinstance(data, str) else data
    assert sniff(content) == Sniffed(media_type, is_audio=False)


STARTS = (
    b"",
    b"RIFF",
    b"RF64\0\0\0\0WAVE",
    b"OggS",
    b"ID3",
    b"\xff\xfb\x90",
    b"\0\0\0\x18ftyp",
    b"#EXT",
    b"PK\3\4",
    b"<?xml",
)


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=600))
@example(start=b"", rest=b"\0")
@example(start=b"", rest=b"\xff" * 600)
def test_any_bytes_get_a_type(start: bytes, rest: bytes) -> None:
    sniffed = sniff(start + rest)
    kind, _, name = sniffed.media_type.partition("/")
    assert kind
    assert name


@given(rest=st.text(max_size=300))
def test_a_playlist_is_never_audio(rest: str) -> None:
    assert not sniff(("#EXTM3U" + rest).encode("utf-8", "surrogatepass")).is_audio


@given(text=st.text(max_size=300))
def test_text_is_never_audio_unless_it_spells_a_signature(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    spelled = data.startswith((b"ID3", b"OggS", b"fLaC", b"#!AMR", b"RIFF", b"RF64")) or data[4:8] == b"ftyp"
    assert spelled or not sniff(data).is_audio
