"""Takes a call: copies its recording under the job's key, then accepts it as an upload is accepted. Safe to repeat.

What it copied stays where it is when this ends ill: the job's id follows from the event, so it may be another's by then, who
had the same record; `refusing` takes it back, once nobody can have it accepted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final

from pipeline.audio import Sniffed
from pipeline.blobs.ports import BlobStore
from pipeline.errors import CallFault
from services.ingest.acceptance import Acceptance, Request
from services.ingest.calls.decision import TakeCall, checked
from services.ingest.calls.ports import RefusedMeanwhile
from services.ingest.fields import CallFields
from services.ingest.problems import INVALID_FIELD, Problem
from services.ingest.sources import NoSuchObject, Sources
from services.ingest.upload import Upload

MAX_CALL_INFO_BYTES: Final = 65_536
_CALL_INFO_FIELDS: Final = frozenset({"operator", "customer_number", "queue", "file_name", "metadata"})
_CALL_INFO: Final = "call_info_key"


class Taking:
    """See the module.

    Args:
        store: Where recordings lie.
        sources: Where they come from.
        acceptance: Accepts; never takes back what was put.
        sniff: Tells what the first bytes are.
        max_audio_bytes: More are refused.
        languages: That this installation transcribes.
    """

    def __init__(
        self,
        store: BlobStore,
        sources: Sources,
        acceptance: Acceptance,
        *,
        sniff: Callable[[bytes], Sniffed],
        max_audio_bytes: int,
        languages: frozenset[str],
    ) -> None:
        self._store = store
        self._sources = sources
        self._acceptance = acceptance
        self._sniff = sniff
        self._max_audio_bytes = max_audio_bytes
        self._languages = languages

    def __call__(self, take: TakeCall) -> None:
        """Copy and accept.

        Raises:
            CallFault: The call cannot be accepted.
            Transient: A peer does not answer.
        """
        said = self._call_info(take)
        file_name = said.pop("file_name", None)
        fields = checked({**take.texts, **said}, self._languages)
        upload = Upload(self._store, take.event.job_id, self._sniff, self._max_audio_bytes)
        with closing(upload), _faults():
            self._copy(take, fields, upload)
            self._acceptance.accept(
                upload,
                Request(
                    client=take.client,
                    fields=fields,
                    file_name=file_name or take.audio.key.rpartition("/")[2],
                    idempotency_key=None,
                    languages=self._languages,
                    run=take.run,
                ),
            )

    def _copy(self, take: TakeCall, fields: CallFields, upload: Upload) -> None:
        wanted = take.event.audio
        upload.declare(fields.headerless)
        with self._sources.open(take.audio) as incoming:
            upload.expect(incoming.size_bytes)
            for chunk in incoming.chunks:
                upload.write(chunk)
        sha256 = upload.finish()
        if (wanted.sha256 or sha256).lower() != sha256 or wanted.size_bytes not in {None, upload.size_bytes}:
            raise CallFault("source_mismatch")

    def _call_info(self, take: TakeCall) -> dict[str, str]:
        if take.call_info is None:
            return {}
        with _faults(), self._sources.open(take.call_info) as incoming:
            data = bytearray()
            for chunk in incoming.chunks:
                data += chunk
                if len(data) > MAX_CALL_INFO_BYTES:
                    raise CallFault("invalid_field", field=_CALL_INFO)
        return _said(bytes(data))


def _said(data: bytes) -> dict[str, str]:
    """The fields in a document of what names people.

    Raises:
        CallFault: `invalid_field`: it is no such document.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping) or not document.keys() <= _CALL_INFO_FIELDS:
        raise CallFault("invalid_field", field=_CALL_INFO)
    metadata = document.get("metadata")
    texts = {name: value for name, value in document.items() if name != "metadata" and value is not None}
    if not all(isinstance(text, str) for text in texts.values()):
        raise CallFault("invalid_field", field=_CALL_INFO)
    return texts if metadata is None else {**texts, "metadata": json.dumps(metadata)}


@contextmanager
def _faults() -> Iterator[None]:
    """What an upload would be refused for is a fault of the call, by the same code."""
    try:
        yield
    except NoSuchObject as error:
        raise CallFault("source_denied" if error.denied else "source_missing") from error
    except RefusedMeanwhile as error:
        raise CallFault(error.refusal.reason, **error.refusal.details) from error
    except Problem as problem:
        if problem.kind == INVALID_FIELD:
            raise CallFault("invalid_field", field=problem.field or "") from None
        raise CallFault(problem.kind.code, **problem.facts) from None
