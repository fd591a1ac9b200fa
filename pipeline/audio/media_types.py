"""The audio types that are taken. `sniff` tells them apart; `probe` and `decode` choose a decoder by them."""

from __future__ import annotations

from typing import Final

WAV: Final = "audio/wav"
FLAC: Final = "audio/flac"
OGG: Final = "audio/ogg"
MP3: Final = "audio/mpeg"
MP4: Final = "audio/mp4"
AMR: Final = "audio/amr"
AMR_WB: Final = "audio/amr-wb"
AUDIO_TYPES: Final = frozenset({WAV, FLAC, OGG, MP3, MP4, AMR, AMR_WB})

FFMPEG_FORMATS: Final = {FLAC: "flac", OGG: "ogg", MP3: "mp3", MP4: "mp4", AMR: "amr", AMR_WB: "amr"}
"""FFmpeg's demuxer for each; WAV goes by its own way."""
SOUNDFILE_TYPES: Final = frozenset({FLAC, OGG, MP3})
"""What libsndfile takes as it is."""
