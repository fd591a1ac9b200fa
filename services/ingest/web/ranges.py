"""Parts of a file and what a client has of it: Range, If-Range, If-None-Match of RFC 9110. Pure; called by `downloads`.

One part at a time: several at once, or another unit, get the whole file, as the RFC allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from services.ingest.problems import RANGE_NOT_SATISFIABLE, Problem

_ONE_PART: Final = re.compile(r"bytes=[ \t]*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})[ \t]*")
_MAX_HEADER: Final = 4096


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has what the tag names."""
    if if_none_match is None or len(if_none_match) > _MAX_HEADER:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


def wanted_part(headers: Mapping[str, str], etag: str, size_bytes: int) -> range | None:
    """The bytes that `Range` asks for, from the first to behind the last; None: all of them.

    Raises:
        Problem: `range_not_satisfiable`: the file has no such bytes.
    """
    if headers.get("if-range", etag) != etag:
        return None
    match = _ONE_PART.fullmatch(headers.get("range", ""))
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        part = range(max(0, size_bytes - int(match["last"])), size_bytes)
    else:
        first = int(match["first"])
        if match["last"] and int(match["last"]) < first:
            return None
        part = range(first, min(size_bytes, int(match["last"]) + 1) if match["last"] else size_bytes)
    if not part:
        raise Problem(
            RANGE_NOT_SATISFIABLE,
            f"the file has {size_bytes} bytes",
            facts={"size_bytes": size_bytes},
            headers={"Content-Range": f"bytes */{size_bytes}"},
        )
    return part
