"""What a bucket holds, page by page: ListObjectsV2 and ListMultipartUploads."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote_plus

from pipeline.blobs.ports import BlobInfo
from pipeline.blobs.s3.failures import refusal
from pipeline.blobs.s3.http import S3Http
from pipeline.errors import Transient

_OK: Final = 200
#: Most prefixes that are listed are of one run and hold a few objects; a server makes room for as many as it is asked for.
_FIRST_PAGE: Final = "100"


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """A multipart upload that was begun and neither completed nor aborted."""

    key: str
    upload_id: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class _Page:
    facts: Mapping[str, str]
    rows: list[dict[str, str]]


def list_keys(http: S3Http, prefix: str) -> Iterator[BlobInfo]:
    """All objects whose key starts with the prefix, by key; pages are fetched as they are needed.

    Raises:
        Transient: The store does not answer as it should.
        Fatal: It refuses us.
    """
    wanted = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
    query = {**wanted, "max-keys": _FIRST_PAGE}
    while True:
        page = _page(http, query, "Contents")
        with _readable():
            found = [
                BlobInfo(unquote_plus(row["Key"]), int(row["Size"]), datetime.fromisoformat(row["LastModified"]))
                for row in page.rows
            ]
        yield from found
        token = _following(page, "NextContinuationToken")
        if token is None:
            return
        query = {**wanted, "continuation-token": token}


def list_uploads(http: S3Http) -> Iterator[UploadInfo]:
    """All uploads under way or left.

    Raises:
        Transient: The store does not answer as it should.
        Fatal: It refuses us.
    """
    query = {"uploads": "", "encoding-type": "url"}
    while True:
        page = _page(http, query, "Upload")
        with _readable():
            found = [
                UploadInfo(unquote_plus(row["Key"]), row["UploadId"], datetime.fromisoformat(row["Initiated"]))
                for row in page.rows
            ]
        yield from found
        key = _following(page, "NextKeyMarker")
        if key is None:
            return
        query = {**query, "key-marker": unquote_plus(key), "upload-id-marker": page.facts["NextUploadIdMarker"]}


def _page(http: S3Http, query: Mapping[str, str], rows: str) -> _Page:
    response = http.request("GET", query=query)
    if response.status != _OK:
        raise refusal(response)
    with _readable():
        root = ET.fromstring(response.data)  # noqa: S314  our own store; expat fetches nothing
    return _Page(_texts(root), [_texts(element) for element in root if _name(element) == rows])


def _following(page: _Page, name: str) -> str | None:
    """Where the next page begins; None if this was the last."""
    if page.facts.get("IsTruncated") != "true":
        return None
    if not page.facts.get(name):
        raise Transient("store: the listing breaks off")
    return page.facts[name]


@contextmanager
def _readable() -> Iterator[None]:
    """What cannot be read may come whole the next time."""
    try:
        yield
    except (ET.ParseError, KeyError, ValueError) as error:
        raise Transient("store: the listing cannot be read") from error


def _texts(element: ET.Element) -> dict[str, str]:
    return {_name(child): child.text or "" for child in element}


def _name(element: ET.Element) -> str:
    """Without the namespace: servers differ in it."""
    return element.tag.rpartition("}")[2]
