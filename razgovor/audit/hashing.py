"""Reading objects, to compare their hashes: all that rows name, or a share of them. Between `gathering` and `judges`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO, Final

from pipeline.blobs.ports import BlobNotFound
from pipeline.contracts import layout
from razgovor.audit.facts import JobFacts, StoredObject, TranscriptSays
from razgovor.audit.judges.objects import named_objects
from razgovor.audit.sources import Objects
from razgovor.audit.view import View

_CHUNK_BYTES: Final = 1 << 20
_TRANSCRIPT_MAX_BYTES: Final = 64 << 20
_JOBS_AHEAD: Final = 64


class Hashing:
    """Reads the objects that rows name.

    Args:
        objects: Where they lie.
        share: How many of them, from 0 to 1; which ones follows from their keys and `salt`.
        salt: Another one chooses others.
        threads: Reading side by side.
    """

    def __init__(self, objects: Objects, *, share: float, salt: str = "", threads: int = 8) -> None:
        self._objects = objects
        self._share = share
        self._salt = salt
        self._threads = threads

    def over(self, jobs: Iterable[JobFacts], view: View) -> Iterator[JobFacts]:
        """The same jobs, in order, with hashes.

        Raises:
            Transient: The store does not answer.
        """
        if self._share <= 0:
            yield from jobs
            return
        iterator = iter(jobs)
        with ThreadPoolExecutor(self._threads, thread_name_prefix="hashing") as pool:
            while ahead := list(islice(iterator, _JOBS_AHEAD)):
                yield from pool.map(lambda job: self._read_job(job, view), ahead)

    def _read_job(self, job: JobFacts, view: View) -> JobFacts:
        chosen = {named.key for named in named_objects(job, view) if self._is_chosen(named.key)}
        if not chosen:
            return job
        return replace(job, objects=tuple(self._read(found) if found.key in chosen else found for found in job.objects))

    def _is_chosen(self, key: str) -> bool:
        digest = hashlib.sha256(f"{self._salt}{key}".encode()).digest()
        return int.from_bytes(digest[:8]) < self._share * 2**64

    def _read(self, found: StoredObject) -> StoredObject:
        try:
            with self._objects.open(found.key) as stream:
                if found.key.endswith(f"/{layout.TRANSCRIPT_NAME}") and found.size_bytes <= _TRANSCRIPT_MAX_BYTES:
                    data = stream.read()
                    return replace(found, sha256=hashlib.sha256(data).hexdigest(), says=_says(data))
                return replace(found, sha256=_sha256(stream))
        except BlobNotFound:  # deleted since it was listed
            return found


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _says(data: bytes) -> TranscriptSays:
    """Whose a transcript says it is; what is none says nothing."""
    try:
        said: Any = json.loads(data)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return TranscriptSays(job_id=None, run=None, client=None)
    return TranscriptSays(job_id=said.get("job_id"), run=said.get("run"), client=said.get("client"))
