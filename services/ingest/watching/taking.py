"""Takes one complete file: what is known of its call, its bytes, acceptance, then the mark, then the move. The one place that applies.

The file goes in by the door of every upload: size, type, rate, quota, priority. Its idempotency key follows from watcher, path,
size and time, so a crash between acceptance and mark costs one more reading and no second job.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ingest import acceptance
from services.ingest.clients import Client
from services.ingest.fields import CallFields, parse_fields
from services.ingest.problems import QUOTA_EXCEEDED, Problem
from services.ingest.rates import Rate
from services.ingest.upload import Upload
from services.ingest.watching import sidecars
from services.ingest.watching.decisions import Found, Seen
from services.ingest.watching.journals import Journals, read_small
from services.ingest.watching.moving import move_done, move_failed
from services.ingest.watching.ports import FileGone, FileRefused, Refusal, SeenFiles, Session
from services.ingest.watching.readings import Reading, upload_fields
from services.ingest.watching.watch import Door, Watch

#: A file that may not be read now may be readable later, which nothing of it would show.
UNREADABLE_RETRY_S: Final = 900.0
#: A quota is asked again at the end of its day or month, and before it, because it may be raised.
QUOTA_RETRY_S: Final = 900.0
_TEXTS: Final = {
    "symlink": "a link is never followed",
    "not_a_file": "this is no file",
    "path_climbs": "the name leads out of the source",
    "unreadable": "the file may not be read",
    "empty_file": "the file holds no bytes",
    "pattern_mismatch": "the name is not of the watcher's pattern",
}


class Kind(Enum):
    """What became of a file."""

    TAKEN = "taken"
    REFUSED = "refused"
    DEFERRED = "deferred"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        pause_s: How long nothing more is to be taken for this client.
        again: The file itself is to be tried again after that, in this look.
    """

    kind: Kind
    pause_s: float = 0.0
    again: bool = False


class _Refused(Exception):
    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.refusal = refusal_for(reason, detail)


class Taker:
    """Takes a watcher's files.

    Args:
        watch: The watcher.
        door: Where uploads come in.
        seen: What was seen.
        journals: What names do not say; None: nothing does.
        metrics: Counts what became of files.
    """

    def __init__(self, watch: Watch, door: Door, seen: SeenFiles, journals: Journals | None, metrics: Metrics) -> None:
        self._watch = watch
        self._door = door
        self._seen = seen
        self._journals = journals
        self._metrics = metrics
        self._log = logs.get(__name__)

    def take(self, session: Session, found: Found, seen: Seen | None, client: Client, now: datetime) -> Outcome:
        """Take a file that is complete.

        Args:
            session: Of the source.
            found: The file.
            seen: What was known of its path.
            client: Whose it is.
            now: By our own clock.

        Raises:
            SourceFault: The source cannot be looked at any more.
            Transient: Store or database do not answer; nothing was marked.
        """
        try:
            reading = self._reading(session, found, now)
            if reading is None:
                return Outcome(Kind.WAITING)
            fields = self._fields(session, found, reading)
            wait_s = self._rate_wait_s(client)
            if wait_s:
                return Outcome(Kind.WAITING, wait_s, again=True)
            job = self._submit(session, found, seen, client, fields)
        except FileGone:
            return Outcome(Kind.WAITING)
        except FileRefused as error:
            return self.refuse(session, found, refusal_for(error.reason))
        except _Refused as error:
            return self.refuse(session, found, error.refusal)
        except Problem as problem:
            return self.refuse(session, found, _refusal_of(problem, now))
        return Outcome(Kind.WAITING) if job is None else self._taken(session, found, *job)

    def refuse(self, session: Session, found: Found, refusal: Refusal) -> Outcome:
        """Say that a file is not taken, and why.

        Raises:
            SourceFault, Transient: See `take`.
        """
        self._seen.mark_refused(self._watch.owner, found.path, found.stamp, found.sidecar, refusal)
        kind = Kind.REFUSED if refusal.retry_after_s is None else Kind.DEFERRED
        self._count(kind, refusal.reason)
        self._log.info("file_refused", watcher=self._watch.owner.watcher, reason=refusal.reason)
        if kind is Kind.REFUSED and found.fault is None and self._watch.rules.moves:
            self._moved(move_failed(session, found, refusal))
        return Outcome(kind, (refusal.retry_after_s or 0.0) if refusal.reason == QUOTA_EXCEEDED.code else 0.0)

    def move(self, session: Session, found: Found, seen: Seen) -> None:
        """Move away what was decided in an earlier look, whose move did not come to its end.

        Raises:
            SourceFault: See `take`.
        """
        refused = seen.reason is not None
        self._moved(
            move_failed(session, found, refusal_for(str(seen.reason))) if refused else move_done(session, found)
        )

    def _reading(self, session: Session, found: Found, now: datetime) -> Reading | None:
        """What the path and the journal say; None: the journal may yet say something."""
        watch = self._watch
        reading = Reading() if watch.patterns is None else watch.patterns.read(found.path)
        if reading is None:
            if not watch.take_unmatched:
                raise _Refused("pattern_mismatch")
            return Reading()
        if self._journals is None or reading.local_time is None:
            return reading
        connection = self._journals.of(reading.local_time.date(), session).find(reading)
        if connection is not None:
            return connection.joined(reading)
        age_s = now.timestamp() - found.stamp.modified_ns / 1_000_000_000
        return None if 0 <= age_s < (watch.journal_wait_s or 0.0) else reading

    def _fields(self, session: Session, found: Found, reading: Reading) -> CallFields:
        said = None
        if found.sidecar_path is not None:
            data = read_small(session, found.sidecar_path, sidecars.MAX_BYTES)
            try:
                said = sidecars.parse(found.sidecar_path, data)
            except sidecars.SidecarError as error:
                raise _Refused("sidecar_invalid", str(error)) from None
        texts = upload_fields(reading, self._watch.zone, said)
        return parse_fields({**texts, "priority": self._watch.priority}, self._door.languages)

    def _rate_wait_s(self, client: Client) -> float:
        if client.requests_per_minute is None:
            return 0.0
        rate = Rate(client.requests_per_minute)
        taken = self._door.rates.refused(client.client_id, rate) or self._door.rates.take(client.client_id, rate)
        return 0.0 if taken.allowed else max(taken.wait_s(rate), 0.01)

    def _submit(
        self, session: Session, found: Found, seen: Seen | None, client: Client, fields: CallFields
    ) -> tuple[str, str] | None:
        """The recording's hash and its job; None: it changed while it was read."""
        door = self._door
        with closing(Upload(door.store, door.new_id(), door.sniff, door.max_audio_bytes)) as upload:
            size_bytes = 0
            for chunk in session.chunks(found.path):
                size_bytes += len(chunk)
                upload.write(chunk)
            if session.stamp(found.path) != found.stamp or size_bytes != found.stamp.size_bytes:
                return None
            sha256 = upload.finish()
            if seen is not None and seen.job_id is not None and seen.audio_sha256 == sha256:
                return sha256, seen.job_id  # only its time has changed
            wanted = acceptance.Request(
                client=client,
                fields=fields,
                file_name=found.path.rpartition("/")[2],
                idempotency_key=_idempotency_key(self._watch.owner.watcher, found),
                key_binds_fields=False,
                languages=door.languages,
            )
            return sha256, door.acceptance.accept(upload, wanted).job_id

    def _taken(self, session: Session, found: Found, sha256: str, job_id: str) -> Outcome:
        self._seen.mark_taken(self._watch.owner, found.path, found.stamp, audio_sha256=sha256, job_id=job_id)
        self._count(Kind.TAKEN, "")
        if self._watch.rules.moves:
            self._moved(move_done(session, found))
        return Outcome(Kind.TAKEN)

    def _moved(self, moved: bool) -> None:  # noqa: FBT001  what became of it
        if not moved:
            self._metrics.add(families.WATCHED_UNMOVED, watcher=self._watch.owner.watcher)
            self._log.warning("file_not_moved", watcher=self._watch.owner.watcher)

    def _count(self, kind: Kind, reason: str) -> None:
        self._metrics.add(families.WATCHED, watcher=self._watch.owner.watcher, outcome=kind.value, reason=reason)


def refusal_for(reason: str, detail: str = "") -> Refusal:
    """A refusal by its reason; what may pass without a trace at the file is tried again."""
    retry_after_s = UNREADABLE_RETRY_S if reason == "unreadable" else None
    return Refusal(reason=reason, detail=detail or _TEXTS.get(reason, ""), retry_after_s=retry_after_s)


def _refusal_of(problem: Problem, now: datetime) -> Refusal:
    where = f"{problem.field}: " if problem.field is not None and problem.field != "file" else ""
    retry_after_s = None
    if problem.kind is QUOTA_EXCEEDED:
        ends_at = datetime.fromisoformat(str(problem.facts["ends_at"]))
        retry_after_s = min(QUOTA_RETRY_S, max(1.0, (ends_at - now).total_seconds()))
    return Refusal(reason=problem.kind.code, detail=f"{where}{problem.detail}", retry_after_s=retry_after_s)


def _idempotency_key(watcher: str, found: Found) -> str:
    told = json.dumps([watcher, found.path, found.stamp.size_bytes, found.stamp.modified_ns])
    return f"watch:{hashlib.sha256(told.encode()).hexdigest()}"
