"""The judges: pure functions from the facts of one job to what is wrong with them, one module an invariant.

Each invariant says here what of it can be checked from outside:

I1  `ends`     the job of every submission is, in its newest run, failed, canceled, completed or erased once all is
               drained; its state is the strongest claim that the ledger has seen; nobody but ingest made a job or a run.
I2  `billing`  every completed run has one `transcription` entry, at most taken back where a lower run was completed too;
               no other run has any; the legs of every entry sum to 0; its period is that of the acceptance, by
               PostgreSQL's clock.
I3  `objects`  every completed run has its result, every key in it an object of that size and hash; so has every
               submission its recording. Neither is asked of what was erased, is older than the retention, or expired by
               its client's own.
I4  `orphans`  a prefix whose job neither ingest nor the ledger knows has an object younger than the age asked for.
I5  `answers`  every record below a group's commit is finished: its event is in the ledger (group ledger), or its outcome
               was announced (transcriber, exporter), or it was put aside, or it went on to the retry topic.
I6  `answers`  once all is drained, so is every record there is; and every event has a cause: a submission, a recording
               announced before its transcript, a transcript before its completion.
I7  `tenants`  one client in all rows, events and usage of a job; keys of rows lie under their own job; a transcript says
               that it is of this job, run and client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from razgovor.audit.facts import JobFacts
from razgovor.audit.findings import Finding
from razgovor.audit.judges import answers, billing, ends, objects, orphans, tenants
from razgovor.audit.view import View

Judge = Callable[[JobFacts, View], Iterator[Finding]]

JUDGES: Final[tuple[Judge, ...]] = (
    ends.judge,
    billing.judge,
    objects.judge,
    orphans.judge,
    answers.judge,
    tenants.judge,
)
