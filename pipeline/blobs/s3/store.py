"""The store in a bucket. Any number of threads may use it at once."""

from __future__ import annotations

import hashlib
import io
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, Final

from pipeline.blobs.options import StoreOptions
from pipeline.blobs.ports import BlobInfo, BlobNotFound
from pipeline.blobs.s3 import checksum
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.failures import refusal
from pipeline.blobs.s3.http import Response, S3Http
from pipeline.blobs.s3.listing import list_keys, list_uploads
from pipeline.blobs.s3.reading import BUFFER_BYTES, S3Stream, missing_or_refused
from pipeline.blobs.s3.writing import S3Writer
from pipeline.blobs.scratch import scratch_errors, scratch_file
from pipeline.errors import Fatal, Transient

_OK: Final = 200
_NO_CONTENT: Final = 204
_NOT_FOUND: Final = 404
_CIPHER: Final = "x-amz-server-side-encryption"
_CIPHER_KEY: Final = "x-amz-server-side-encryption-aws-kms-key-id"
_COPY_BYTES: Final = 2**20
#: S3's longest.
_MAX_EXPIRES_S: Final = 7 * 86_400


class S3Store:
    """Objects in a bucket that is there; `razgovor store apply` makes it."""

    def __init__(self, address: S3Address, options: StoreOptions, http: S3Http | None = None) -> None:
        """`http` takes the place of the one made of address and options."""
        self._http = http or S3Http(address, options)
        self._scratch_dir = options.scratch_dir
        self._attempts = options.attempts
        self._encryption = {_CIPHER: options.encryption.cipher, _CIPHER_KEY: options.encryption.key_id}
        self._encryption = {name: value for name, value in self._encryption.items() if value}

    def put(self, key: str, data: bytes, *, media_type: str) -> None:
        """See `BlobStore.put`."""
        self._put(key, data, media_type)

    @contextmanager
    def writer(self, key: str, *, media_type: str) -> Iterator[S3Writer]:
        """See `BlobStore.writer`."""
        headers = {"content-type": media_type, **self._encryption}
        with scratch_errors():
            writer = S3Writer(self._http, key, headers, self._scratch_dir)
        try:
            yield writer
        finally:
            writer.leave()

    def read(self, key: str) -> bytes:
        """See `BlobStore.read`."""
        for _ in range(self._attempts):
            response = self._http.request("GET", key, headers=checksum.WANTED)
            if response.status != _OK:
                raise missing_or_refused(response, key)
            data = response.data
            is_whole = response.headers.get("Content-Length") == str(len(data))
            if is_whole and _is_of_object(response) and checksum.said_by(response) in {None, checksum.of(data)}:
                return data
            self._http.distrust()
        raise Transient("store: other bytes than it was given")

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """See `BlobStore.open`."""
        with S3Stream(self._http, key, self._attempts) as raw, io.BufferedReader(raw, BUFFER_BYTES) as stream:
            yield stream

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """See `BlobStore.local_path`. A copy in the scratch folder, 0600, gone with the context."""
        with scratch_file(self._scratch_dir, partial(self._copy, key)) as path:
            yield path

    def stat(self, key: str) -> BlobInfo | None:
        """See `BlobStore.stat`."""
        for _ in range(self._attempts):
            response = self._http.request("HEAD", key)
            if response.status == _NOT_FOUND:
                return None
            if response.status != _OK:
                raise refusal(response)
            if _is_of_object(response):
                modified_at = parsedate_to_datetime(response.headers["Last-Modified"])
                return BlobInfo(key, int(response.headers["Content-Length"]), modified_at)
            self._http.distrust()
        raise Transient("store: it answers something else")

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        """See `BlobStore.list`."""
        return list_keys(self._http, prefix)

    def delete(self, key: str) -> None:
        """See `BlobStore.delete`."""
        response = self._http.request("DELETE", key)
        if response.status not in {_OK, _NO_CONTENT}:
            error = missing_or_refused(response, key)
            if not isinstance(error, BlobNotFound):
                raise error

    def discard_uploads(self, before: datetime) -> int:
        """See `BlobStore.discard_uploads`."""
        left = [upload for upload in list_uploads(self._http) if upload.begun_at < before]
        for upload in left:
            self._http.request("DELETE", upload.key, query={"uploadId": upload.upload_id})
        return len(left)

    def verify(self) -> None:
        """See `BlobStore.verify`. Raises Transient while the store does not answer."""
        key = f"control/verify-{secrets.token_hex(8)}"
        response = self._put(key, b"razgovor", "text/plain")
        wanted = self._encryption.get(_CIPHER)
        is_encrypted = wanted in {None, response.headers.get(_CIPHER)}
        try:
            self.read(key)
        except BlobNotFound as error:
            raise Fatal("the store forgets what was put") from error
        self.delete(key)
        if not is_encrypted:
            raise Fatal("the store does not encrypt as store_encryption asks")

    def presigned_get(self, key: str, *, expires_s: int, file_name: str) -> str:
        """See `PresignedReads.presigned_get`."""
        if not 1 <= expires_s <= _MAX_EXPIRES_S:
            raise ValueError(f"expires_s must be 1 to {_MAX_EXPIRES_S}")
        disposition = Message()
        disposition.add_header("Content-Disposition", "attachment", filename=("utf-8", "", file_name))
        query = {"response-content-disposition": str(disposition["Content-Disposition"])}
        return self._http.presigned(key, query, expires_s)

    def _put(self, key: str, data: bytes, media_type: str) -> Response:
        headers = {"content-type": media_type, checksum.HEADER: checksum.of(data), **self._encryption}
        sha256 = hashlib.sha256(data).hexdigest()
        for _ in range(self._attempts):
            response = self._http.request("PUT", key, headers=headers, body=data, sha256=sha256)
            if response.status != _OK:
                raise refusal(response)
            if checksum.said_by(response) in {None, headers[checksum.HEADER]}:
                return response
            self._http.distrust()
        raise Transient("store: it answers for other bytes")

    def _copy(self, key: str, target: IO[bytes]) -> None:
        crc32 = 0
        with S3Stream(self._http, key, self._attempts) as source:
            while data := source.read(_COPY_BYTES):
                crc32 = zlib.crc32(data, crc32)
                target.write(data)
            is_whole = source.tell() == source.size_bytes
            if not is_whole or source.checksum not in {None, checksum.as_header(crc32)}:
                raise Transient("store: other bytes than it was given")


def _is_of_object(response: Response) -> bool:
    """Whether this answers a GET or HEAD: a server that answered a PUT twice leaves the second one on the connection."""
    return "Last-Modified" in response.headers
