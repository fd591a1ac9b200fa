"""S3 listings that lag: leaves young keys out of ListObjectsV2's document. Used by `HttpProxy`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_CONTENTS: Final = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)
_KEY: Final = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)
_COUNT: Final = re.compile(rb"<KeyCount>\d+</KeyCount>")


def is_listing(method: str, target: str) -> bool:
    """Whether a request asks for a bucket's keys."""
    return method == "GET" and "list-type" in parse_qs(urlsplit(target).query)


class YoungKeys:
    """Remembers when keys were put."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._put_at_s: dict[str, float] = {}

    def note(self, target: str) -> None:
        """A put (or a multipart's end) of `/bucket/key` went well."""
        _, _, key = unquote(urlsplit(target).path).removeprefix("/").partition("/")
        self._put_at_s.setdefault(key, self._monotonic_s())

    def without(self, document: bytes, lag_s: float) -> bytes:
        """The listing less the keys younger than `lag_s`."""
        now_s = self._monotonic_s()

        def kept(found: re.Match[bytes]) -> bytes:
            key = _KEY.search(found[0])
            put_at_s = self._put_at_s.get(unquote(key[1].decode())) if key else None
            return b"" if put_at_s is not None and now_s - put_at_s < lag_s else found[0]

        changed = _CONTENTS.sub(kept, document)
        return _COUNT.sub(b"<KeyCount>%d</KeyCount>" % changed.count(b"<Contents>"), changed)
