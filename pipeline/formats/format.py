"""What a format is: a name for the file, one for the wire, and a pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript

#: (transcript, who and when if known, `ru` or `en`) -> the file's bytes. The same arguments give the same bytes.
Render = Callable[[Transcript, CallInfo | None, str], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to export a transcript.

    Attributes:
        extension: Of the file, without a dot.
        media_type: What the file is served as.
        render: Makes it.
    """

    extension: str
    media_type: str
    render: Render
