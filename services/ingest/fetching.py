"""Recordings that a caller names instead of sending: fetched into an upload. Blocking; runs in threads.

`s3://bucket/key` where the client's sources cover it; `https://...` through `pipeline.outbound`, which looks at every address.
Called by `web.references`, which says what an answer is.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit

from pipeline.outbound import AnswerTooLarge, Bounds, Outbound, Unreachable, UrlNotAllowed
from services.ingest.clients import Client
from services.ingest.problems import SOURCE_FAILED, URL_NOT_ALLOWED, Problem
from services.ingest.sources import SCHEME, NoSuchObject, Sources, covers, parse
from services.ingest.upload import Upload, too_large

FIELD: Final = "audio_url"
_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_FAULTS: Final = {
    "form": "an address is ASCII, has a host and no fragment",
    "scheme": "only s3:// and https:// are taken",
    "credentials": "an address holds no user and no password",
    "port": "this port is not allowed",
    # Of a name that is none too: else whoever asks could find out the names of this network.
    "address": "its host is no public address that can be reached",
}
_SILENCES: Final = {
    "connect": "it cannot be connected to",
    "tls": "it cannot prove its name by TLS",
    "timeout": "it took too long",
    "protocol": "its answer is no whole HTTP",
}


class Fetching:
    """Fetches recordings.

    Args:
        sources: Where `s3://` leads; None: nowhere.
        outbound: Where `https://` leads; None: nowhere.
        max_bytes: More are refused.
        total_s: How long one may take over https.
    """

    def __init__(
        self,
        sources: Sources | None = None,
        outbound: Outbound | None = None,
        *,
        max_bytes: int = 2**30,
        total_s: float = 300.0,
    ) -> None:
        self._sources = sources
        self._outbound = outbound
        self._bounds = Bounds(max_bytes=max_bytes, total_s=total_s)

    def fetch(self, url: str, client: Client, upload: Upload) -> None:
        """Write what lies at an address into an upload.

        Raises:
            Problem: `url_not_allowed`, `source_failed`, and as `Upload.write` raises it.
            Transient: The store of sources does not answer, or ours does not take it.
        """
        if url.startswith(SCHEME):
            self._from_sources(url, client, upload)
        else:
            self._from_outside(url, upload)

    def _from_sources(self, url: str, client: Client, upload: Upload) -> None:
        wanted = parse(url)
        if self._sources is None or wanted is None or not covers(client.sources, wanted):
            raise _not_allowed("your client may not name recordings in this bucket or under this prefix")
        try:
            with self._sources.open(wanted) as incoming:
                upload.expect(incoming.size_bytes)
                for chunk in incoming.chunks:
                    upload.write(chunk)
        except NoSuchObject as error:
            detail = "its bucket does not let us read it" if error.denied else "there is no such object"
            raise Problem(SOURCE_FAILED, detail, field=FIELD) from None

    def _from_outside(self, url: str, upload: Upload) -> None:
        if self._outbound is None:
            raise _not_allowed("recordings at addresses of others are not fetched here")
        try:
            with self._outbound.send("GET", url, self._bounds) as answer:
                _require_found(answer.status)
                upload.expect(answer.declared_bytes)
                for chunk in answer.chunks():
                    upload.write(chunk)
        except UrlNotAllowed as error:
            raise _not_allowed(_FAULTS[error.fault]) from None
        except AnswerTooLarge as error:
            raise too_large(error.limit_bytes) from None
        except Unreachable as error:
            if error.fault not in _SILENCES:
                raise _not_allowed(_FAULTS["address"]) from None
            raise Problem(SOURCE_FAILED, _SILENCES[error.fault], field=FIELD, facts={"fault": error.fault}) from None


def name_in(url: str) -> str | None:
    """What the recording at an address is called: the last part of its path; None: nothing."""
    path = url.removeprefix(SCHEME) if url.startswith(SCHEME) else unquote(urlsplit(url).path, errors="replace")
    return path.rpartition("/")[2] or None


def _require_found(status: int) -> None:
    if status in _REDIRECTS:
        raise _not_allowed(f"it answers with status {status}, and redirects are not followed")
    if status != _OK:
        raise Problem(SOURCE_FAILED, f"it answers with status {status}", field=FIELD, facts={"answered": status})


def _not_allowed(detail: str) -> Problem:
    return Problem(URL_NOT_ALLOWED, detail, field=FIELD)
