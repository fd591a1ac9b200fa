"""Which jobs a list holds. A value and its meaning; repositories ask their tables the same.

Called by `web.jobs`, which reads it out of a query.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.ingest.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for; None: anything.

    Attributes:
        state: As it is shown.
        since, before: Accepted then or later; accepted earlier.
        direction, operator, call_id, chain_id: Exactly so.
        text: Found in the call's id, file name, operator, number, queue or metadata, whatever the case of its letters.
    """

    state: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    direction: str | None = None
    operator: str | None = None
    call_id: str | None = None
    chain_id: str | None = None
    text: str | None = None

    def means(self, job: Job) -> bool:
        """Whether a job is asked for."""
        exactly = (
            (self.state, job.outcome.state),
            (self.direction, job.direction),
            (self.operator, job.operator),
            (self.call_id, job.call_id),
            (self.chain_id, job.chain_id),
        )
        return (
            all(wanted in {None, found} for wanted, found in exactly)
            and (self.since is None or job.accepted_at >= self.since)
            and (self.before is None or job.accepted_at < self.before)
            and (self.text is None or any(self.text.lower() in text.lower() for text in _texts(job)))
        )


ANYTHING = Wanted()


def _texts(job: Job) -> Iterator[str]:
    named = (job.call_id, job.file_name, job.operator, job.customer_number, job.queue)
    yield from (text for text in named if text is not None)
    yield from job.metadata.values()
