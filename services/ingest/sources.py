"""Recordings that lie elsewhere: what names one, and where a client may name it. Pure, and the port that opens one.

`s3://bucket/prefix/` among a client's sources covers every key of the bucket that begins with the prefix. The slash at its
end is no matter of taste: `acme` would cover `acme-rival/` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from pipeline.errors import Unavailable

SCHEME: Final = "s3://"
MAX_KEY_BYTES: Final = 1024
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Reference:
    """An object in a bucket."""

    bucket: str
    key: str


def reference(bucket: str, key: str) -> Reference | None:
    """The object of this name; None: none can have it, or its name climbs.

    A key is only a text to S3; yet proxies before it may take `..` for the folder above, and so lead out of a prefix.
    """
    parts = key.split("/")
    if not _BUCKET.fullmatch(bucket) or len(key.encode(errors="replace")) > MAX_KEY_BYTES:
        return None
    if any(part in {"", ".", ".."} for part in parts) or not key.isprintable():
        return None
    return Reference(bucket, key)


def parse(url: str) -> Reference | None:
    """The object that `s3://bucket/key` names; the key is taken as it stands. None: it names none."""
    if not url.startswith(SCHEME):
        return None
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    return reference(bucket, key)


def is_source(text: str) -> bool:
    """Whether this can be one of a client's sources."""
    bucket, slash, prefix = text.removeprefix(SCHEME).partition("/")
    whole = text.startswith(SCHEME) and slash == "/" and (not prefix or prefix.endswith("/"))
    return whole and reference(bucket, f"{prefix}x") is not None


def covers(sources: Iterable[str], wanted: Reference) -> bool:
    """Whether a client with these sources may name this object."""
    return any(f"{SCHEME}{wanted.bucket}/{wanted.key}".startswith(source) for source in sources)


class NoSuchObject(Exception):
    """There is none of this name, or none that we may see.

    Attributes:
        denied: Whether we were refused rather than told that there is none.
    """

    def __init__(self, *, denied: bool = False) -> None:
        super().__init__("denied" if denied else "absent")
        self.denied = denied


class SourceAway(Unavailable):
    """The store of sources does not answer, whichever object is asked for."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A recording on its way here.

    Attributes:
        size_bytes: As its store says; None: it does not.
        chunks: Its bytes, once. May raise Transient.
    """

    size_bytes: int | None
    chunks: Iterator[bytes]


class Sources(Protocol):
    """The stores where clients keep recordings. Reads only."""

    def open(self, wanted: Reference) -> AbstractContextManager[Incoming]:
        """An object of theirs, while the context lasts.

        Raises:
            NoSuchObject: See there.
            SourceAway: The store does not answer at all.
            Transient: It does not give this object.
        """
