"""A large object as a seekable stream of ranged GETs; a broken one goes on where it stopped."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from urllib3.exceptions import HTTPError

from pipeline.blobs.ports import BlobNotFound
from pipeline.blobs.s3 import checksum
from pipeline.blobs.s3.failures import code_of, refusal, silence
from pipeline.blobs.s3.http import Response, S3Http
from pipeline.errors import Transient

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_OK: Final = 200
_PARTIAL: Final = 206
_NOT_FOUND: Final = 404
BUFFER_BYTES: Final = 262_144


def missing_or_refused(response: Response, key: str) -> Exception:
    """The error of a GET that is no success."""
    if response.status == _NOT_FOUND and code_of(response) != "NoSuchBucket":
        return BlobNotFound(key)
    return refusal(response)


class S3Stream(io.RawIOBase):
    """Reads one object from one thread at a time. Opened by the constructor.

    Args:
        http: Where it lies.
        key: The object.
        attempts: How often a piece is asked for that does not come.

    Raises:
        BlobNotFound: No such key.
        Transient: The store does not answer.
        Fatal: It refuses us.
    """

    def __init__(self, http: S3Http, key: str, attempts: int) -> None:
        super().__init__()
        self._http = http
        self._key = key
        self._attempts = attempts
        self._at = 0
        self._failures = 0
        self._failed_at = 0
        self._response: Response | None = self._get(0)
        self.size_bytes = _length(self._response)
        self.checksum = checksum.said_by(self._response)
        """Of the whole object, as `checksum.as_header` says it, where the store gives one."""

    def readable(self) -> bool:
        """It is for nothing else."""
        return True

    def seekable(self) -> bool:
        """At the price of another request."""
        return True

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go elsewhere; the request follows with the next read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("before the object's begin")
        if base + offset != self._at:
            self._drop()
            self._at = base + offset
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read some bytes; 0 at the end.

        Raises:
            Transient: They do not come, several times over.
        """
        if self._at >= self.size_bytes:
            return 0
        view = memoryview(buffer).cast("B")
        while True:
            try:
                data = self._some(len(view))
            except HTTPError as error:
                self._drop()
                self._count_failure(error)
            else:
                view[: len(data)] = data
                self._at += len(data)
                return len(data)

    def close(self) -> None:
        """Let the connection go: back to the pool if the object was read to its end."""
        if not self.closed:
            self._drop()
        super().close()

    def _count_failure(self, error: HTTPError) -> None:
        """Give up after some failures in a row; one that brought little forth counts as in a row."""
        if self._at - self._failed_at >= BUFFER_BYTES:
            self._failures = 0
        self._failures += 1
        self._failed_at = self._at
        if self._failures >= self._attempts:
            raise silence(error) from error

    def _some(self, count: int) -> bytes:
        if self._response is None:
            self._response = self._get(self._at)
        data = self._response.read(count, decode_content=False)
        if not data:
            raise HTTPError("the body is shorter than the object")
        return data

    def _get(self, start: int) -> Response:
        headers = {"range": f"bytes={start}-"} if start else checksum.WANTED
        response = self._http.request("GET", self._key, headers=headers, streamed=True)
        if response.status != (_PARTIAL if start else _OK):
            error = missing_or_refused(response, self._key)
            response.close()
            raise error
        if start and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            response.close()
            raise Transient("store: it answers with another range")
        return response

    def _drop(self) -> None:
        if self._response is not None:
            if self._at >= self.size_bytes:
                self._response.drain_conn()
            self._response.close()
            self._response = None


def _length(response: Response) -> int:
    said = response.headers.get("Content-Length", "")
    if not said.isdigit():
        response.close()
        raise Transient("store: an answer without its length")
    return int(said)
