"""Names of files as strangers give them: which are recordings, which are not finished, which may not be. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

#: Of names of recordings; their bytes decide in the end.
AUDIO_SUFFIXES: Final = (
    ".wav", ".mp3", ".ogg", ".opus", ".oga", ".flac", ".m4a", ".mp4", ".aac", ".amr", ".gsm", ".wma", ".webm",
)  # fmt: skip
#: What programs add to a name while they write.
TEMPORARY_SUFFIXES: Final = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".swp", "~")
MAX_PATH: Final = 4096
MAX_DEPTH: Final = 16


def suffix_of(name: str) -> str:
    """What follows the last dot, in small letters with the dot; empty where there is none."""
    stem, dot, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if dot and stem else ""


def without_suffix(name: str) -> str:
    """A name without the suffix of a recording; other dots belong to the name."""
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix in AUDIO_SUFFIXES else name


def is_temporary(name: str) -> bool:
    """Whether somebody still writes it: by its suffix, or hidden as rsync does."""
    return name.startswith(".") or name.lower().endswith(TEMPORARY_SUFFIXES)


def is_recording(name: str, suffixes: Collection[str] = AUDIO_SUFFIXES) -> bool:
    """Whether a name is one of a finished recording."""
    return not is_temporary(name) and suffix_of(name) in suffixes


def climbs(path: str) -> bool:
    """Whether a path, as a server tells it, could lead out of the folder that is watched, or is none at all."""
    parts = path.split("/")
    return (
        len(path) > MAX_PATH or len(parts) > MAX_DEPTH or "\0" in path or any(part in {"", ".", ".."} for part in parts)
    )
