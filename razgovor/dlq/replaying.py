"""What replaying a dead letter means, decided by what was said of its job when it was put aside; and doing it.

- While it was handled (`stage` handle): its job was told `failed`. An end that clients, bills and webhooks have acted on
  is never taken back, so the job is done again as a new run, from the recording on. That holds for the exporter's
  transcripts too: to publish one again would complete a run that has failed.
- An upstream system's call that was put aside while it was handled has no job: its bytes go to its topic again, and ingest
  tries it as a new run.
- Before anybody understood it (`stage` decode): nothing was said of any job. What is missing is the record itself, so its
  bytes go to its own topic again, to all who read that; who had understood it knows its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from pipeline.contracts.events import CallRecorded, Event
from pipeline.errors import Permanent
from pipeline.stream.dead_letters import without_story
from pipeline.stream.ports import Message, Producer, Record
from services.ingest.audit_log import OPERATOR
from services.ingest.runs import FAILED, GIVEN_UP, Refused, Runs, Started
from services.ledger.letters import DeadLetterBox, Letter

Decode: TypeAlias = Callable[[Message], Event]

HANDLE: Final = "handle"
#: Answers of `Runs.start` that leave nothing to do for the letter.
_SETTLED: Final = frozenset({"superseded", "completed"})


@dataclass(frozen=True, slots=True)
class Requeue:
    """Have the job done again; `run` is the one that failed, None where the letter does not tell."""

    job_id: str
    run: int | None


@dataclass(frozen=True, slots=True)
class Publish:
    """Have the record read again by all."""

    record: Record


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave it alone: `done`, `bytes_missing`, `still_undecodable`, `belongs_elsewhere`."""

    why: str


Plan: TypeAlias = Requeue | Publish | Skip


def plan(letter: Letter, decode: Decode, *, force: bool = False) -> Plan:
    """What replaying this letter means.

    Args:
        letter: The letter.
        decode: As this release reads events.
        force: Publish also what this release does not understand: another one may.

    Raises:
        Transient: The schema registry does not answer.
    """
    if not letter.is_open:
        return Skip("done")
    event = _event(letter, decode)
    if letter.stage == HANDLE and letter.home_topic != CallRecorded.TOPIC:
        return Requeue(letter.key_text, None) if event is None else Requeue(event.job_id, event.run)
    if not letter.is_whole:
        return Skip("bytes_missing")
    if not force and event is None:
        return Skip("still_undecodable")
    if not force and event is not None and letter.home_topic != event.TOPIC:
        return Skip("belongs_elsewhere")
    return Publish(Record(letter.home_topic, letter.key, letter.value, without_story(letter.headers)))


def _event(letter: Letter, decode: Decode) -> Event | None:
    if not letter.is_whole:
        return None
    try:
        return decode(letter.message())
    except Permanent:
        return None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a letter.

    Attributes:
        done: Whether it is settled now; if not, it stays open.
        outcome: `run 2`; `topic/partition/offset`; or why not.
    """

    letter: Letter
    done: bool
    outcome: str


class Replayer:
    """Replays letters, one after another; what is done is marked, so a second time does nothing.

    Args:
        letters: Where they are marked.
        runs: Starts runs.
        producer: Takes what is published.
        decode: As this release reads events.
        by: Who asks, for the audit log.
    """

    def __init__(
        self,
        letters: DeadLetterBox,
        runs: Callable[[], Runs],
        producer: Callable[[], Producer],
        decode: Decode,
        *,
        by: str = OPERATOR,
    ) -> None:
        self._by = by
        self._letters = letters
        self._runs = runs
        self._producer = producer
        self._decode = decode

    def replay(self, letters: Iterable[Letter], *, force: bool, dry_run: bool) -> Iterator[Replayed]:
        """Replay letters.

        Yields:
            What became of each, or would; in order, and as soon as it holds.

        Raises:
            Transient: A peer does not answer; what was yielded holds, the rest is as it was.
        """
        for letter in letters:
            replayed = self._act(letter, plan(letter, self._decode, force=force), dry_run=dry_run)
            if replayed.done and not dry_run:
                self._letters.mark_replayed(letter.letter_id, replayed.outcome)
            yield replayed

    def _act(self, letter: Letter, wanted: Plan, *, dry_run: bool) -> Replayed:
        match wanted:
            case Skip(why):
                return Replayed(letter, done=False, outcome=why)
            case Publish(record):
                return Replayed(letter, done=True, outcome=record.topic if dry_run else self._publish(record))
            case Requeue(job_id, run):
                # Only who knows the run can tell a job that failed then from one that was started again since.
                allowed = FAILED if run is None else GIVEN_UP
                answer = self._runs().start(job_id, allowed=allowed, after_run=run, dry_run=dry_run, by=self._by)
                return _said(letter, answer)

    def _publish(self, record: Record) -> str:
        (place,) = self._producer().publish([record])
        return f"{place.topic}/{place.partition}/{place.offset}"


def _said(letter: Letter, answer: Started | Refused) -> Replayed:
    if isinstance(answer, Started):
        return Replayed(letter, done=True, outcome=f"run {answer.run}")
    return Replayed(letter, done=answer.why in _SETTLED, outcome=answer.why)
