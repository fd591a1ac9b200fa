"""The audio types that are taken as they are; `headerless` knows those that somebody has to explain. `sniff` tells them apart; `probe` and `decode` choose a decoder by them."""

from __future__ import annotations

from typing import Final

WAV: Final = "audio/wav"
FLAC: Final = "audio/flac"
OGG: Final = "audio/ogg"
MP3: Final = "audio/mpeg"
MP4: Final = "audio/mp4"
AAC: Final = "audio/aac"
AMR: Final = "audio/amr"
AMR_WB: Final = "audio/amr-wb"
AUDIO_TYPES: Final = frozenset({WAV, FLAC, OGG, MP3, MP4, AAC, AMR, AMR_WB})

FFMPEG_FORMATS: Final = {FLAC: "flac", OGG: "ogg", MP3: "mp3", MP4: "mp4", AAC: "aac", AMR: "amr", AMR_WB: "amr"}
"""FFmpeg's demuxer for each; WAV goes by its own way."""
LENGTHLESS_TYPES: Final = frozenset({AAC, AMR, AMR_WB})
"""Frame follows frame, and nothing says how many there are: FFmpeg would guess by the first ones."""
SOUNDFILE_TYPES: Final = frozenset({FLAC, OGG, MP3})
"""What libsndfile takes as it is."""
