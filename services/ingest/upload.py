"""One recording on its way into the store: counted, hashed and sniffed while it streams. Blocking; runs in threads.

Called by `web.submit` chunk by chunk, then by `acceptance`. Nothing is visible in the store before `commit`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.audio import SNIFF_BYTES, UNKNOWN, Headerless, Sniffed, sniff_declared
from pipeline.blobs.ports import BlobStore, BlobWriter
from pipeline.contracts import layout
from services.ingest.problems import EMPTY_FILE, INVALID_FIELD, TOO_LARGE, UNSUPPORTED_MEDIA, Problem
from services.ingest.submissions import StoredAudio


class Upload:
    """An upload under way. Always `close` it.

    Args:
        store: Where it goes.
        job_id: Whose recording it is; decides the key.
        sniff: Tells what the first bytes are.
        max_bytes: More are refused.
    """

    def __init__(self, store: BlobStore, job_id: str, sniff: Callable[[bytes], Sniffed], max_bytes: int) -> None:
        self._store = store
        self._sniff = sniff
        self._max_bytes = max_bytes
        self._stack = ExitStack()
        self._writer: BlobWriter | None = None
        self._head = b""
        self._media_type = ""
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        self._headerless: Headerless | None = None
        self.job_id = job_id
        self.key = layout.audio_key(job_id)

    @property
    def headerless(self) -> Headerless | None:
        """What was said of a recording without a header."""
        return self._headerless

    def declare(self, headerless: Headerless | None) -> None:
        """Take the caller's word for what the bytes are, if there is any; before the first of them."""
        self._headerless = headerless

    @property
    def size_bytes(self) -> int:
        """Bytes so far."""
        return self._size_bytes

    def expect(self, size_bytes: int | None) -> None:
        """Be told how many bytes there will be, if anybody knows.

        Raises:
            Problem: `too_large`.
        """
        if size_bytes is not None and size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)

    @property
    def begun(self) -> bool:
        """Whether the store has something of it."""
        return self._writer is not None

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            Problem: `too_large`, `unsupported_media`.
            Transient: The store does not take them.
        """
        self._size_bytes += len(data)
        if self._size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        self._hash.update(data)
        if self._writer is not None:
            self._writer.write(data)
            return
        self._head += data
        if len(self._head) >= SNIFF_BYTES:
            self._start()

    def finish(self) -> str:
        """Say that this was all; nothing is visible yet.

        Returns:
            The hex SHA-256 of the bytes.

        Raises:
            Problem: `empty_file`, `unsupported_media`.
            Transient: The store does not take them.
        """
        if not self._size_bytes:
            raise Problem(EMPTY_FILE, "the file holds no bytes", field="file")
        if self._writer is None:
            self._start()
        return self._hash.hexdigest()

    def commit(self) -> StoredAudio:
        """Make the finished upload visible.

        Raises:
            Transient: The store does not take it.
        """
        if self._writer is None:
            raise ValueError("finish the upload first")
        self._writer.commit()
        return StoredAudio(
            key=self.key, sha256=self._hash.hexdigest(), size_bytes=self._size_bytes, media_type=self._media_type
        )

    @contextmanager
    def as_file(self) -> Iterator[Path]:
        """The committed recording as a file to read while the context lasts.

        One that is small enough is still at hand; the store is asked for any other.

        Raises:
            Transient: The store does not answer, or there is no room for a copy.
        """
        if self._writer is None:
            raise ValueError("commit the upload first")
        with self._writer.at_hand() as path:
            if path is not None:
                yield path
                return
        with self._store.local_path(self.key) as path:
            yield path

    def close(self) -> None:
        """Let go; what was not committed is gone. Safe to repeat."""
        self._stack.close()
        self._writer = None

    def _start(self) -> None:
        media_type = self._sniffed() if self._headerless is None else self._declared(self._headerless)
        self._media_type = media_type
        self._writer = self._stack.enter_context(self._store.writer(self.key, media_type=media_type))
        self._writer.write(self._head)
        self._head = b""

    def _sniffed(self) -> str:
        sniffed = self._sniff(self._head[:SNIFF_BYTES])
        if not sniffed.is_audio:
            raise _unsupported(sniffed)
        return sniffed.media_type

    def _declared(self, headerless: Headerless) -> str:
        sniffed = sniff_declared(self._head[:SNIFF_BYTES])
        if sniffed is None:
            return headerless.media_type
        if sniffed.is_audio:
            detail = f"the bytes are {sniffed.media_type}, which says itself what it holds: leave codec out"
            raise Problem(INVALID_FIELD, detail, field="codec", facts={"detected": sniffed.media_type})
        raise _unsupported(sniffed)


def _unsupported(sniffed: Sniffed) -> Problem:
    advice = "; samples without a header need codec in front of them" if sniffed.media_type == UNKNOWN else ""
    return Problem(
        UNSUPPORTED_MEDIA,
        f"the bytes are {sniffed.media_type}, which is no recording that can be read{advice}",
        field="file",
        facts={"detected": sniffed.media_type},
    )


def too_large(max_bytes: int) -> Problem:
    """The refusal of more bytes than are taken."""
    return Problem(TOO_LARGE, f"at most {max_bytes} bytes are taken", field="file", facts={"limit_bytes": max_bytes})
