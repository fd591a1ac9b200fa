"""AWS Signature Version 4 for S3, in headers and in the query. The tests hold it against botocore's."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from pipeline.blobs.options import Credentials
from pipeline.blobs.s3.address import S3Address

EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"


def encoded_query(query: Mapping[str, str]) -> str:
    """A query as it is sent and signed: sorted, everything encoded that may be."""
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


class Signer:
    """Signs requests to one endpoint as one user."""

    def __init__(self, address: S3Address, credentials: Credentials) -> None:
        self._address = address
        self._credentials = credentials
        #: The day's key: four HMACs a day in place of four a request. Replaced whole, so threads may race for it.
        self._key: tuple[str, bytes] = ("", b"")

    def headers(
        self, method: str, path: str, query: str, headers: Mapping[str, str], *, sha256: str, at_s: float
    ) -> dict[str, str]:
        """These headers and what signs them.

        Args:
            method: The request's method.
            path: Its path, encoded.
            query: Its query, as `encoded_query` makes it.
            headers: What else is sent; names in lower case; the `x-amz-` ones are signed.
            sha256: The body's hash in hex.
            at_s: The time now, in seconds of Unix.
        """
        stamp = _stamp(at_s)
        signed = {
            **{name: value for name, value in headers.items() if name.startswith("x-amz-")},
            "host": self._address.host_header,
            "x-amz-content-sha256": sha256,
            "x-amz-date": stamp,
        }
        names = ";".join(sorted(signed))
        signature = self._sign(method, path, query, signed, sha256=sha256, stamp=stamp)
        scope = f"{self._credentials.access_key}/{self._scope(stamp)}"
        return {
            **headers,
            "x-amz-content-sha256": sha256,
            "x-amz-date": stamp,
            "authorization": f"{_ALGORITHM} Credential={scope}, SignedHeaders={names}, Signature={signature}",
        }

    def presigned_query(self, path: str, query: Mapping[str, str], *, expires_s: int, at_s: float) -> str:
        """A query that lets whoever holds it GET this path until it expires."""
        stamp = _stamp(at_s)
        told = {
            **query,
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self._credentials.access_key}/{self._scope(stamp)}",
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(expires_s),
            "X-Amz-SignedHeaders": "host",
        }
        unsigned = encoded_query(told)
        signed = {"host": self._address.host_header}
        signature = self._sign("GET", path, unsigned, signed, sha256=_UNSIGNED, stamp=stamp)
        return f"{unsigned}&X-Amz-Signature={signature}"

    def _sign(self, method: str, path: str, query: str, signed: Mapping[str, str], *, sha256: str, stamp: str) -> str:
        lines = "".join(f"{name}:{' '.join(signed[name].split())}\n" for name in sorted(signed))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{';'.join(sorted(signed))}\n{sha256}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{_ALGORITHM}\n{stamp}\n{self._scope(stamp)}\n{digest}"
        return hmac.digest(self._day_key(stamp[:8]), text.encode(), "sha256").hex()

    def _scope(self, stamp: str) -> str:
        return f"{stamp[:8]}/{self._address.region}/s3/aws4_request"

    def _day_key(self, day: str) -> bytes:
        held, key = self._key
        if held != day:
            key = b"AWS4" + self._credentials.secret_key.encode()
            for part in (day, self._address.region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (day, key)
        return key


def _stamp(at_s: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at_s))
