"""Texts that strangers send, made fit to be stored and shown. Pure.

A text is data: it never becomes part of a key, a path or a log line.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_FILE_NAME: Final = 255
MAX_DOWNLOAD_STEM: Final = 100
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_PATH_PARTS: Final = re.compile(r'[/\\:*?"<>|]')


def storable(text: str) -> str:
    """Without what PostgreSQL and UTF-8 cannot hold: U+0000 and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def stored_file_name(text: str | None) -> str | None:
    """A file name as it is kept: the sender's own, cut to MAX_FILE_NAME characters; None when nothing is left."""
    if text is None:
        return None
    return storable(text)[:MAX_FILE_NAME] or None


def download_name(text: str | None, fallback: str) -> str:
    """A file name that is safe to propose to a browser: no folders, control or direction characters, reserved names."""
    stem = _PATH_PARTS.sub("_", text or "")
    stem = "".join(character for character in stem if unicodedata.category(character)[0] != "C")
    stem = stem[-MAX_DOWNLOAD_STEM:].strip(" .")  # the end, because it holds the extension
    if not stem:
        return fallback
    return f"_{stem}" if _RESERVED.fullmatch(stem) else stem
