"""What a transcript can be exported as. Called by `handler`; every format is a pure function with deterministic bytes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.formats import canonical, srt, txt, vtt, xlsx
from pipeline.formats.format import Format

__all__ = ["FORMATS", "Format"]

#: Formats by the name that clients ask for.
FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "txt": Format("txt", "text/plain; charset=utf-8", txt.render),
        "vtt": Format("vtt", "text/vtt; charset=utf-8", vtt.render),
        "srt": Format("srt", "application/x-subrip; charset=utf-8", srt.render),
        "json": Format("json", "application/json", canonical.render),
        "xlsx": Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.render),
    }
)
