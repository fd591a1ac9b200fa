"""What the sources say, as values: rows of the database, records of topics, objects of the store; gathered by job.

Ids, hashes, sizes and times alone: nothing here names anybody or says what was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What ingest accepted: a row of ingest.submissions."""

    job_id: str
    run: int
    client_id: str
    accepted_at: datetime
    audio_key: str
    audio_sha256: str
    audio_size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A row of ledger.jobs. What expired was kept as long as its client agreed: a row of ledger.expiries."""

    job_id: str
    run: int
    client_id: str
    audio_expired: bool = False
    transcript_expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCall:
    """A row of ingest.refused_calls: what an upstream system named and nobody accepted; `run` is the last try."""

    job_id: str
    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A row of ledger.runs."""

    job_id: str
    run: int
    state: str
    completed_at: datetime | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """A row of ledger.results."""

    job_id: str
    run: int
    duration_ms: int
    transcript_key: str
    transcript_sha256: str
    transcript_size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtefactRow:
    """A row of ledger.artefacts."""

    job_id: str
    run: int
    format: str
    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLeg:
    """A row of ledger.usage. `period` is its first day, as text."""

    job_id: str
    run: int
    kind: str
    leg: str
    client_id: str
    period: str
    accepted_at: datetime
    duration_ms: int
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A row of ledger.seen."""

    job_id: str
    event_id: str
    run: int
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRecord:
    """A record of a topic.

    Attributes:
        event_id, job_id, run, client_id: Of its event; None where it can't be decoded, and on a DLQ.
        kind: What it says, as in its event id: `transcript.ready`, `job.status:completed`; None as above.
        stage: Of job.status: who said it.
        aside_by: The consumer groups that put it aside.
        retried: Whether it went on as a record of the retry topic.
        kept: On a DLQ: whether the ledger holds it.
    """

    topic: str
    partition: int
    offset: int
    event_id: str | None = None
    job_id: str | None = None
    run: int | None = None
    client_id: str | None = None
    kind: str | None = None
    stage: str | None = None
    aside_by: frozenset[str] = frozenset()
    retried: bool = False
    kept: bool = False

    @property
    def place(self) -> str:
        """Where it lies, for reports."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptSays:
    """Whose a transcript says it is."""

    job_id: str | None
    run: int | None
    client: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object of the store.

    Attributes:
        sha256: Of its bytes; None: they were not read.
        says: Of a transcript that was read.
    """

    key: str
    size_bytes: int
    modified_at: datetime
    sha256: str | None = None
    says: TranscriptSays | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """All that is known of one job."""

    job_id: str
    submission: Submission | None = None
    refused: RefusedCall | None = None
    job: JobRow | None = None
    runs: tuple[RunRow, ...] = ()
    results: tuple[ResultRow, ...] = ()
    artefacts: tuple[ArtefactRow, ...] = ()
    usage: tuple[UsageLeg, ...] = ()
    seen: tuple[Seen, ...] = ()
    records: tuple[TopicRecord, ...] = ()
    objects: tuple[StoredObject, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anybody ever accepted it, or the ledger heard of it."""
        return self.submission is not None or self.job is not None
