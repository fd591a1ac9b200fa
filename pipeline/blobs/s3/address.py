"""A bucket's address: `s3://bucket?endpoint=http://127.0.0.1:9000&region=eu-central-1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from pipeline.errors import Fatal

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where a bucket lies. Buckets are named in the path: no store needs names of its own in the DNS.

    Attributes:
        bucket: Its name.
        scheme: http or https.
        host: Of the endpoint.
        port: Of the endpoint.
        region: What requests are signed for.
    """

    bucket: str
    scheme: str
    host: str
    port: int
    region: str

    @classmethod
    def parse(cls, url: str) -> S3Address:
        """The bucket of a store's address; without an endpoint it lies at AWS.

        Raises:
            Fatal: It is none.
        """
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if parts.scheme != "s3" or parts.path.strip("/") or not query.keys() <= {"endpoint", "region"}:
            raise Fatal("store_url must be s3://bucket?endpoint=https://host:port&region=name")
        if not _BUCKET.fullmatch(parts.netloc):
            raise Fatal("store_url names no bucket: s3://bucket?endpoint=...")
        region = query.get("region", ["us-east-1"])[0]
        scheme, host, port = _endpoint(query.get("endpoint", [f"https://s3.{region}.amazonaws.com"])[0])
        return cls(parts.netloc, scheme, host, port, region)

    @property
    def endpoint(self) -> str:
        """As a URL."""
        return f"{self.scheme}://{self.host_header}"

    @property
    def host_header(self) -> str:
        """What HTTP names the endpoint, and signatures cover."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def path(self, key: str = "") -> str:
        """The path of an object, or of the bucket, as it is sent and signed."""
        return f"/{self.bucket}/{quote(key, safe='/~')}" if key else f"/{self.bucket}"


def _endpoint(url: str) -> tuple[str, str, int]:
    parts: SplitResult = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.path.strip("/") or parts.query:
        raise Fatal("the store's endpoint must be http(s)://host or http(s)://host:port")
    if parts.username is not None:
        raise Fatal("the store's endpoint holds no credentials: they are settings of their own")
    return parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme]
