"""`razgovor audit` over a system under test: the same judge as an operator's, asked behind the proxies."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

from razgovor.audit.adapters.postgres import PostgresDatabase
from razgovor.audit.adapters.stores import objects_at
from razgovor.audit.adapters.topics import LiveTopics
from razgovor.audit.run import Question, Report, audit
from razgovor.chaos.ground import Ground


def audited(ground: Ground, *, orphan_age_s: float) -> tuple[str, ...]:
    """What the audit holds against a drained system, in words; nothing: all invariants hold.

    Args:
        ground: Where everything lies.
        orphan_age_s: Prefixes of no job that are older are orphans.
    """
    question = Question(drained=True, orphan_age=timedelta(seconds=orphan_age_s))
    database = PostgresDatabase(ground.postgres.urls().auditor)
    objects = objects_at(ground.direct_store_url, ground.store_options)
    with closing(LiveTopics(ground.direct_kafka, ground.wire)) as topics:
        return in_words(audit(database, objects, topics, question))


def in_words(report: Report) -> tuple[str, ...]:
    """The invariants that do not hold, each with what breaks it and one example."""
    found: list[str] = []
    for invariant, tally in report.findings.tallies.items():
        for code, count in tally.violations.items():
            example = next((one for one in tally.examples if one.code == code and one.violation), None)
            place = "" if example is None else f", such as {example.job_id or ''} {example.where}".rstrip()
            found.append(f"{invariant} ({invariant.says}): {code}, {count} times{place}")
    return tuple(found)
