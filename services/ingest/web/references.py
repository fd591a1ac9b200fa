"""Recordings by reference: JSON in place of the recording, `audio_url` and the fields. Called by `submit` and `batch`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from services.ingest import acceptance
from services.ingest.clients import Client
from services.ingest.fetching import FIELD, name_in
from services.ingest.fields import CallFields, parse_fields
from services.ingest.problems import BAD_REQUEST, INVALID_FIELD, SOURCE_MISMATCH, Problem
from services.ingest.submissions import Accepted
from services.ingest.web import body
from services.ingest.web.ports import UploadLimits, WebPorts

MEDIA_TYPE: Final = "application/json"
MAX_DOCUMENT_BYTES: Final = 65_536
SHA256: Final = "sha256"
FILE_NAME: Final = "file_name"
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
_LISTS: Final = frozenset({"channels", "formats"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A recording that was named.

    Attributes:
        sha256: What its bytes have to give; None: anything.
    """

    url: str
    sha256: str | None
    file_name: str | None
    fields: CallFields


def is_document(request: Request) -> bool:
    """Whether the body is JSON that names a recording."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MEDIA_TYPE


async def receive(request: Request, limits: UploadLimits, max_bytes: int = MAX_DOCUMENT_BYTES) -> Any:
    """The body as JSON.

    Raises:
        Problem: `bad_request`: it is none; and see `body.chunks`.
    """
    data = bytearray()
    async for chunk in body.chunks(request, max_bytes=max_bytes, limits=limits, named_bytes=max_bytes):
        data += chunk
    try:
        return json.loads(bytes(data), object_pairs_hook=_once_each, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Problem(BAD_REQUEST, "the body is no JSON in which every name stands once") from None


def parse(document: Any, languages: frozenset[str]) -> Reference:
    """The recording that a document names.

    Raises:
        Problem: `invalid_field`.
    """
    if not isinstance(document, dict):
        raise Problem(INVALID_FIELD, "must be an object with audio_url", field=FIELD)
    texts = {name: text for name, value in document.items() if (text := _text(name, value))}
    url, sha256, file_name = texts.pop(FIELD, ""), texts.pop(SHA256, None), texts.pop(FILE_NAME, None)
    if not url:
        raise Problem(INVALID_FIELD, "name the recording's address: s3:// or https://", field=FIELD)
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise Problem(INVALID_FIELD, "must be 64 hexadecimal digits", field=SHA256)
    fields = parse_fields(texts, languages)
    return Reference(url, sha256.lower() if sha256 else None, file_name or name_in(url), fields)


async def accept(ports: WebPorts, client: Client, named: Reference, idempotency_key: str | None) -> Accepted:
    """Fetch a recording and accept it.

    Raises:
        Problem: It cannot be fetched, or is not taken.
        Transient: A part of the service does not answer.
    """
    return await ports.fetches.run(client.client_id, _fetch_and_accept(ports, client, named, idempotency_key))


def _fetch_and_accept(
    ports: WebPorts, client: Client, named: Reference, idempotency_key: str | None
) -> Callable[[], Accepted]:
    wanted = acceptance.Request(
        client=client,
        fields=named.fields,
        file_name=named.file_name,
        idempotency_key=idempotency_key,
        languages=ports.languages,
    )
    upload = ports.new_upload()
    upload.declare(named.fields.headerless)

    def work() -> Accepted:
        with closing(upload):
            ports.fetching.fetch(named.url, client, upload)
            if named.sha256 not in {None, upload.finish()}:
                raise Problem(SOURCE_MISMATCH, "the bytes at this address have another sha256", field=SHA256)
            return ports.acceptance.accept(upload, wanted)

    return work


def _text(name: str, value: Any) -> str:
    """A value as a form would have it; JSON's own lists and objects where a form has texts of them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name in _LISTS and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if name == "metadata" and isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    raise Problem(INVALID_FIELD, "must be a text", field=name[:64])


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
