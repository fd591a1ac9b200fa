"""An upload under way: one PUT if it stays small, else a multipart upload that is aborted unless it is committed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from pipeline.blobs.s3 import checksum
from pipeline.blobs.s3.failures import code_of, refusal
from pipeline.blobs.s3.http import Response, S3Http
from pipeline.blobs.s3.part import Part
from pipeline.blobs.scratch import scratch_file
from pipeline.errors import Fatal, Transient

_OK: Final = 200
_UPLOAD_ID: Final = re.compile(rb"<UploadId>([^<]+)</UploadId>")
_FAILED: Final = b"<Error>"


class S3Writer:
    """A `BlobWriter`.

    Args:
        http: Where it goes.
        key: The object.
        headers: Media type and encryption.
        scratch_dir: Where parts wait.
    """

    def __init__(self, http: S3Http, key: str, headers: Mapping[str, str], scratch_dir: Path | None) -> None:
        self._http = http
        self._key = key
        self._headers = headers
        self._scratch_dir = scratch_dir
        self._part = Part(scratch_dir)
        self._upload_id = ""
        self._etags: list[str] = []
        self._size_bytes = 0
        self._is_done = False

    def write(self, chunk: bytes) -> None:
        """See `BlobWriter.write`."""
        self._size_bytes += len(chunk)
        rest = memoryview(chunk)
        while rest:
            if not self._part.room_bytes:
                self._send_part()
            taken = rest[: self._part.room_bytes]
            self._part.add(bytes(taken))
            rest = rest[len(taken) :]

    def commit(self) -> None:
        """See `BlobWriter.commit`."""
        if self._upload_id:
            self._send_part()
            self._complete()
        else:
            self._put_whole()
        self._is_done = True

    @contextmanager
    def at_hand(self) -> Iterator[Path | None]:
        """See `BlobWriter.at_hand`. A copy in the scratch folder, 0600, gone with the context."""
        if self._upload_id:
            yield None
            return
        with scratch_file(self._scratch_dir, partial(shutil.copyfileobj, self._part.body())) as path:
            yield path

    def leave(self) -> None:
        """Let go; what was not committed is aborted, as far as the store lets us: else the ledger's janitor gives it up."""
        self._part.close()
        if self._upload_id and not self._is_done:
            with suppress(Transient, Fatal):
                self._http.request("DELETE", self._key, query={"uploadId": self._upload_id})

    def _put_whole(self) -> None:
        part = self._part
        headers = {**self._headers, "content-length": str(part.size_bytes), checksum.HEADER: part.checksum}
        response = self._http.request("PUT", self._key, headers=headers, body=part.body(), sha256=part.sha256)
        _require_ok(response)

    def _send_part(self) -> None:
        if not self._upload_id:
            self._upload_id = self._begin()
        part = self._part
        response = self._http.request(
            "PUT",
            self._key,
            query={"partNumber": str(len(self._etags) + 1), "uploadId": self._upload_id},
            headers={"content-length": str(part.size_bytes)},
            body=part.body(),
            sha256=part.sha256,
        )
        _require_ok(response)
        self._etags.append(response.headers["ETag"])
        self._part.close()
        self._part = Part(self._scratch_dir)

    def _begin(self) -> str:
        response = self._http.request("POST", self._key, query={"uploads": ""}, headers=self._headers)
        _require_ok(response)
        found = _UPLOAD_ID.search(response.data)
        if found is None:
            raise Transient("store: it begins no upload")
        return found[1].decode().replace("&amp;", "&")

    def _complete(self) -> None:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
            for number, etag in enumerate(self._etags, start=1)
        )
        document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        headers = {"content-type": "application/xml"}
        response = self._http.request(
            "POST", self._key, query={"uploadId": self._upload_id}, headers=headers, body=document
        )
        # The first answer may have been lost: then the upload is gone, and the object is there.
        if code_of(response) == "NoSuchUpload" and self._is_there():
            return
        _require_ok(response)
        if _FAILED in response.data:  # S3 says 200 before it knows
            raise Transient(f"store: {code_of(response)}")

    def _is_there(self) -> bool:
        response = self._http.request("HEAD", self._key)
        return response.status == _OK and response.headers.get("Content-Length") == str(self._size_bytes)


def _require_ok(response: Response) -> None:
    if response.status != _OK:
        raise refusal(response)
