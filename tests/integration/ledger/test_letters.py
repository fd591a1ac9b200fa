"""Dead letters as an operator sees them: one suite over the shipped fake and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from pipeline.errors import Fatal
from pipeline.stream.ports import Message
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import migrate
from services.ledger import dead_letters
from services.ledger.adapters.memory import MemoryDeadLetterBox
from services.ledger.adapters.postgres import PostgresLedger, checksum
from services.ledger.admin import letters_at
from services.ledger.effects import KeepDlqRecord
from services.ledger.letters import DeadLetterBox, Letter, Selection
from tests.integration.databases import DATABASES

MESSAGES = [
    Message(
        f"{topic}.dlq",
        0,
        number,
        b"job-%d" % number,
        b"\x00\xff%d" % number,
        (
            ("raw", b"\xfe"),
            ("__connect.errors.topic", topic.encode()),
            ("__connect.errors.partition", b"4"),
            ("__connect.errors.offset", b"%d" % (1000 + number)),
            ("__connect.errors.stage", b"HANDLE"),
            ("razgovor.group", group.encode()),
            ("razgovor.reason", reason.encode()),
        ),
        samples.ACCEPTED_AT + timedelta(hours=number),
    )
    for number, (topic, group, reason) in enumerate(
        [
            ("audio.uploaded", "transcriber", "KeyError"),
            ("transcript.ready", "exporter", "KeyError"),
            ("job.status", "ledger", "undecodable"),
            ("audio.uploaded", "ledger", "undecodable"),
        ]
    )
]
#: The second again, put aside anew by its group. No test below may see it.
AGAIN = replace(MESSAGES[1], offset=77, timestamp=samples.ACCEPTED_AT + timedelta(days=1))


def kept(number: int, message: Message) -> Letter:
    """The letter that a ledger keeps of a message."""
    (effect,) = dead_letters.keep(message).effects
    assert isinstance(effect, KeepDlqRecord)
    return Letter(
        letter_id=number + 1,
        topic=effect.topic,
        partition=effect.partition,
        offset=effect.offset,
        recorded_at=effect.recorded_at,
        key=effect.key,
        value=effect.value,
        headers=effect.headers,
        reason=effect.reason,
        group=effect.group,
        event_id=effect.event_id,
        origin_topic=effect.origin_topic,
        origin_partition=effect.origin_partition,
        origin_offset=effect.origin_offset,
    )


def in_memory() -> DeadLetterBox:
    box = MemoryDeadLetterBox(lambda: samples.ACCEPTED_AT)
    for number, message in enumerate([*MESSAGES, AGAIN]):
        box.letters[number + 1] = kept(number, message)
    return box


@pytest.fixture(params=DATABASES)
def box(request: pytest.FixtureRequest) -> DeadLetterBox:
    if request.param == "memory":
        return in_memory()
    ledger: PostgresLedger = request.getfixturevalue("ledger")
    for message in [*MESSAGES, AGAIN]:
        ledger.apply([dead_letters.keep(message)])
    urls: DatabaseUrls = request.getfixturevalue("database_urls")
    migrate(urls.ingest)  # the audit log is there
    return letters_at(urls.ledger)


def test_letters_come_oldest_first_as_they_were_kept(box: DeadLetterBox) -> None:
    assert box.find(Selection(), 10) == [kept(number, message) for number, message in enumerate(MESSAGES)]
    assert [letter.letter_id for letter in box.find(Selection(), 2)] == [1, 2]
    assert box.count(Selection()) == 4


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(reason="KeyError"), [1, 2]),
        (Selection(topic="audio.uploaded"), [1, 4]),
        (Selection(topic="audio.uploaded.dlq"), [1, 4]),
        (Selection(group="ledger"), [3, 4]),
        (Selection(job_id="job-2"), [3]),
        (Selection(since=samples.ACCEPTED_AT + timedelta(hours=2)), [3, 4]),
        (Selection(letter_ids=[4, 2, 99]), [2, 4]),
        (Selection(letter_ids=[]), []),
        (Selection(letter_ids=[5]), []),
        (Selection(also_done=True), [1, 2, 3, 4]),
        (Selection(group="ledger", topic="audio.uploaded"), [4]),
        (Selection(reason="'; DROP TABLE ledger.dlq; --"), []),
    ],
)
def test_all_that_is_said_must_hold(box: DeadLetterBox, selection: Selection, ids: list[int]) -> None:
    assert [letter.letter_id for letter in box.find(selection, 10)] == ids
    assert box.count(selection) == len(ids)


def test_what_is_done_leaves_the_list_and_stays_to_be_looked_up(box: DeadLetterBox) -> None:
    box.mark_replayed(1, "run 2")
    assert box.mark_dropped([1, 2, 3]) == 2
    assert box.mark_dropped([2, 3]) == 0
    assert [letter.letter_id for letter in box.find(Selection(), 10)] == [4]
    done = box.find(Selection(also_done=True), 10)
    assert [(letter.replayed_as, letter.dropped_at is not None) for letter in done] == [
        ("run 2", False),
        (None, True),
        (None, True),
        (None, False),
    ]
    assert [letter.is_open for letter in done] == [False, False, False, True]


def test_what_an_operator_does_is_no_part_of_the_record(
    ledger: PostgresLedger, database_urls: DatabaseUrls, owner: psycopg.Connection[Any]
) -> None:
    apply: Callable[[], int] = lambda: ledger.apply([dead_letters.keep(message) for message in MESSAGES])  # noqa: E731
    apply()
    migrate(database_urls.ingest)
    before = checksum(owner)
    box = letters_at(database_urls.ledger)
    box.mark_replayed(1, "run 2")
    box.mark_dropped([2])
    assert checksum(owner) == before
    apply()  # a replay of the DLQ brings nothing back
    ledger.apply([dead_letters.keep(AGAIN)])  # nor does one of the topic, which puts it aside again
    assert box.count(Selection()) == 2
    assert checksum(owner) == before
    others = tuple((name, b"ledger" if name == "razgovor.group" else value) for name, value in AGAIN.headers)
    ledger.apply([dead_letters.keep(replace(AGAIN, offset=78, headers=others))])
    assert box.count(Selection()) == 3
    assert checksum(owner) != before


def test_what_is_done_stands_in_the_audit_log_or_is_not_done(
    ledger: PostgresLedger, database_urls: DatabaseUrls
) -> None:
    ledger.apply([dead_letters.keep(message) for message in MESSAGES])
    box = letters_at(database_urls.ledger, by="operator:7")
    with pytest.raises(Fatal):  # ingest never started: there is no log
        box.mark_dropped([1])
    assert box.count(Selection()) == 4
    migrate(database_urls.ingest)
    box.mark_replayed(1, "run 2")
    box.mark_dropped([2, 4])
    box.mark_dropped([2, 4])  # nothing was done
    with psycopg.connect(database_urls.ingest) as connection:
        rows = connection.execute(
            "SELECT who, act, subject, details FROM ingest.audit_log ORDER BY entry_id"
        ).fetchall()
    assert rows == [
        ("operator:7", "letter.replayed", "1", {"as": "run 2"}),
        ("operator:7", "letters.dropped", "2-4", {"ids": [2, 4], "letters": 2}),
    ]
