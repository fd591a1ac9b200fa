"""One transaction of the ledger: events that were not known before, and what follows from them. Called by `ledger`.

Rows are written in the order of their ids, table by table, so that ledgers side by side do not lock crosswise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeAlias, TypeVar

from psycopg.types.json import Jsonb

from pipeline.crash_points import reach
from pipeline.outcome import Outcome
from services.ledger.adapters.postgres.connecting import Connection, Cursor
from services.ledger.adapters.postgres.statements import STATEMENTS
from services.ledger.effects import (
    Effect,
    KeepDlqRecord,
    KeepResult,
    MergeRun,
    OrderErasure,
    PostUsage,
    RecordEvent,
    WaiveReprocess,
)

EffectT = TypeVar("EffectT")
Row: TypeAlias = dict[str, Any]

_SEEN_COLUMNS = ("event_id", "job_id", "run", "state", "counted", "topic", "partition", "offset", "recorded_at")


def sort_key(outcome: Outcome[Effect]) -> tuple[str, str]:
    """By job, then by event: a stable sort keeps the order of arrival of records that carry the same id."""
    first = outcome.effects[0]
    return (first.job_id, first.event_id) if isinstance(first, RecordEvent) else ("", "")


def write(connection: Connection, outcomes: Sequence[Outcome[Effect]]) -> list[Outcome[Effect]]:
    """Apply sorted outcomes in one transaction.

    Returns:
        Those whose events were new.

    Raises:
        psycopg.Error: Nothing of it is there, or, if the connection broke during COMMIT, perhaps all.
    """
    by_event: dict[str, Outcome[Effect]] = {}
    records: list[RecordEvent] = []
    for outcome in outcomes:
        first = outcome.effects[0]
        if isinstance(first, RecordEvent) and by_event.setdefault(first.event_id, outcome) is outcome:
            records.append(first)
    with connection.transaction(), connection.cursor() as cursor:
        fresh = _record_events(cursor, records)
        new = [outcome for event_id, outcome in by_event.items() if event_id in fresh]
        effects = [effect for outcome in new for effect in outcome.effects]
        _execute(cursor, "merge_run", map(_run_row, _only(MergeRun, effects)))
        _execute(cursor, "keep_result", map(_result_row, _only(KeepResult, effects)))
        _execute(cursor, "post_usage", map(_row, _only(PostUsage, effects)))
        _execute(cursor, "waive_reprocess", map(_row, _only(WaiveReprocess, effects)))
        _execute(cursor, "order_erasure", map(_row, _only(OrderErasure, effects)))
        dead = [effect for outcome in outcomes for effect in outcome.effects]
        _execute(cursor, "keep_dlq_record", map(_dlq_row, _only(KeepDlqRecord, dead)))
        reach("ledger.before_commit")
    reach("ledger.committed")
    return new


def _only(kind: type[EffectT], effects: Iterable[object]) -> list[EffectT]:
    return [effect for effect in effects if isinstance(effect, kind)]


def _execute(cursor: Cursor, name: str, rows: Iterable[Row]) -> None:
    """Run a statement for each row, sent together (psycopg's pipeline), answered together."""
    prepared = list(rows)
    if prepared:
        cursor.executemany(STATEMENTS[name], prepared)


def _record_events(cursor: Cursor, records: Sequence[RecordEvent]) -> frozenset[str]:
    if not records:
        return frozenset()
    columns = {column: [getattr(record, column) for record in records] for column in _SEEN_COLUMNS}
    return frozenset(event_id for (event_id,) in cursor.execute(STATEMENTS["record_events"], columns))


def _row(effect: MergeRun | PostUsage | WaiveReprocess | OrderErasure) -> Row:
    """The values as they are: `asdict` copies each, which took half of the ledger's time."""
    return {field.name: getattr(effect, field.name) for field in fields(effect)}


def _run_row(merge: MergeRun) -> Row:
    return {**_row(merge), "details": None if merge.details is None else Jsonb(dict(merge.details))}


def _result_row(result: KeepResult) -> Row:
    return {
        **{name: getattr(result, name) for name in _RESULT_COLUMNS},
        "warnings": list(result.warnings),
        "transcript_key": result.transcript.key,
        "transcript_sha256": result.transcript.sha256,
        "transcript_size_bytes": result.transcript.size_bytes,
        "formats": [artefact.format for artefact in result.artefacts],
        "keys": [artefact.key for artefact in result.artefacts],
        "sha256s": [artefact.sha256 for artefact in result.artefacts],
        "sizes_bytes": [artefact.size_bytes for artefact in result.artefacts],
        **result.timings.model_dump(),
    }


_RESULT_COLUMNS = (
    *("job_id", "run", "language", "channel_mode", "channels", "duration_ms", "speech_ms", "words", "confidence"),
    *("partial", "engine", "model", "model_sha256"),
)


def _dlq_row(record: KeepDlqRecord) -> Row:
    return {
        **{name: getattr(record, name) for name in _DLQ_COLUMNS},
        "header_names": [name for name, _ in record.headers],
        "header_values": [value for _, value in record.headers],
    }


_DLQ_COLUMNS = (
    *("topic", "partition", "offset", "value_sha256", "recorded_at", "key", "value", "reason", "group", "event_id"),
    *("origin_topic", "origin_partition", "origin_offset"),
)
