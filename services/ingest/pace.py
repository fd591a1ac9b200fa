"""How far ahead and how often the relay announces. Made of the settings by `__main__`, read by `announcer`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far ahead and how often.

    Attributes:
        max_announced: Announced jobs that are not terminal, at most.
        batch_max: Announcements in one step, at most.
        poll_s: How long the relay rests when nothing woke it.
        gather_s: How long it rests after a step that announced something, so that a stream of uploads goes in batches.
        close_every_s: How often it asks the ledger's view what has ended.
        review_every_s: How often announced jobs are held against the log.
        reannounce_after_s: How long a job may stay unfinished once the group has passed its announcement.
        backoff_max_s: The longest rest while a peer does not answer.
    """

    max_announced: int = 2000
    batch_max: int = 500
    poll_s: float = 1.0
    gather_s: float = 0.1
    close_every_s: float = 0.5
    review_every_s: float = 5.0
    reannounce_after_s: float = 600.0
    backoff_max_s: float = 5.0
