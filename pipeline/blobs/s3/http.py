"""One signed request to the bucket and its whole answer: pooled, timed out, sent again a few times when the store fails.

Every request of ours may be sent twice: keys are immutable. Called by the other modules of this room, from any thread.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import IO, Final

import urllib3
from urllib3.exceptions import HTTPError

from pipeline.blobs.options import StoreOptions
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.failures import SKEWED, code_of, silence
from pipeline.blobs.s3.signature import EMPTY_SHA256, Signer, encoded_query

_SENT_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_BACKOFF_S: Final = 0.05
_LONGEST_BACKOFF_S: Final = 1.0
_FORBIDDEN: Final = 403
#: S3 refuses what is stamped further from its own time.
_TOLERATED_SKEW_S: Final = 900.0

Body = bytes | IO[bytes]
Response = urllib3.BaseHTTPResponse


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request as it is signed and sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Body | None
    sha256: str
    streamed: bool


class S3Http:
    """Requests to one bucket.

    Args:
        address: The bucket.
        options: Credentials, timeouts, connections.
        now_s: The clock that requests are stamped by, in seconds of Unix. A store whose clock says otherwise is believed.
    """

    def __init__(self, address: S3Address, options: StoreOptions, now_s: Callable[[], float] = time.time) -> None:
        # Its warnings hold paths, and so the keys of calls; what failed is in our errors.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
        self.address = address
        self._signer = Signer(address, options.credentials) if options.credentials is not None else None
        self._now_s = now_s
        self._skew_s = 0.0
        self._retries = urllib3.Retry(
            total=options.attempts - 1,
            redirect=False,
            allowed_methods=None,
            status_forcelist=_SENT_AGAIN,
            backoff_factor=_BACKOFF_S,
            backoff_jitter=_BACKOFF_S,
            backoff_max=_LONGEST_BACKOFF_S,
            raise_on_status=False,
            respect_retry_after_header=False,  # a thread would sleep as long as a server likes
        )
        self._tls = ssl.create_default_context(cafile=options.ca_file) if address.scheme == "https" else None
        self._connections = options.connections
        self._timeout = urllib3.Timeout(connect=options.connect_timeout_s, read=options.read_timeout_s)
        self._pool = self._new_pool()

    def request(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        sha256: str | None = None,
        streamed: bool = False,
    ) -> Response:
        """Send, and read the answer whole unless it is to be `streamed`.

        Args:
            method: GET, HEAD, PUT, POST or DELETE.
            key: The object's; empty: the bucket itself is asked.
            query: What is asked for, not encoded.
            headers: What is said beside it, names in lower case.
            body: What is sent. A file goes from where it stands, with `content-length` among the headers.
            sha256: The body's hash in hex, where it is known already. Files need it.
            streamed: Leave the answer's body to be read, then released.

        Returns:
            The answer, whatever its status.

        Raises:
            Transient: There is none, or it is not whole, several times over.
            Fatal: The store is not who it should be.
        """
        if sha256 is None:
            sha256 = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else EMPTY_SHA256
        path, asked = self.address.path(key), encoded_query(query or {})
        ask = _Ask(method, path, asked, headers or {}, body, sha256, streamed)
        response = self._send(ask)
        if response.status == _FORBIDDEN and self._learned_skew(response):
            if body is not None and not isinstance(body, bytes):
                body.seek(0)
            response = self._send(ask)
        return response

    def distrust(self) -> None:
        """Take new connections from now on: what came over one of the old ones was not the answer to what was asked."""
        self._pool = self._new_pool()

    def presigned(self, key: str, query: Mapping[str, str], expires_s: int) -> str:
        """A URL by which anybody may GET the object until it expires."""
        path = self.address.path(key)
        if self._signer is None:
            return f"{self.address.endpoint}{path}?{encoded_query(query)}"
        at_s = self._now_s() + self._skew_s
        signed = self._signer.presigned_query(path, query, expires_s=expires_s, at_s=at_s)
        return f"{self.address.endpoint}{path}?{signed}"

    def _new_pool(self) -> urllib3.HTTPConnectionPool:
        host, port = self.address.host, self.address.port
        if self._tls is None:
            return urllib3.HTTPConnectionPool(host, port, timeout=self._timeout, maxsize=self._connections)
        return urllib3.HTTPSConnectionPool(
            host, port, timeout=self._timeout, maxsize=self._connections, ssl_context=self._tls
        )

    def _send(self, ask: _Ask) -> Response:
        headers = ask.headers
        if self._signer is not None:
            at_s = self._now_s() + self._skew_s
            headers = self._signer.headers(ask.method, ask.path, ask.query, headers, sha256=ask.sha256, at_s=at_s)
        url = f"{ask.path}?{ask.query}" if ask.query else ask.path
        try:
            return self._pool.urlopen(
                ask.method, url, body=ask.body, headers=headers, retries=self._retries, preload_content=not ask.streamed
            )
        except HTTPError as error:
            raise silence(error) from error

    def _learned_skew(self, response: Response) -> bool:
        """Whether our clock is the reason, and its error is known now."""
        said = response.headers.get("Date")
        if said is None:
            return False
        skew_s = parsedate_to_datetime(said).timestamp() - self._now_s()
        # The refusal of a HEAD has no words: then a clock beyond what stores take is reason enough to ask once more.
        is_mute = not response.data and abs(skew_s - self._skew_s) > _TOLERATED_SKEW_S
        if not is_mute and code_of(response) != SKEWED:
            return False
        self._skew_s = skew_s
        return True
