"""What an operator does by command: look at dead letters, sweep orphans. Called by the command line;
makes what it needs.
"""

from __future__ import annotations

import time
from datetime import timedelta

from pipeline.blobs.location import store_at
from pipeline.telemetry.metrics import Metrics
from services.ledger.adapters.postgres import PostgresDeadLetterBox, PostgresKnownJobs
from services.ledger.janitor import Janitor, Swept
from services.ledger.letters import DeadLetterBox
from services.ledger.settings import JanitorSettings


def letters_at(database_url: str, *, by: str = "operator") -> DeadLetterBox:
    """The dead letters of a ledger.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ledger`.
        by: Who acts, for ingest's audit log.
    """
    return PostgresDeadLetterBox(database_url, by=by)


def sweep(settings: JanitorSettings, *, older_than_s: float | None, dry_run: bool) -> Swept | None:
    """Sweep the store once, now; see `Janitor.sweep`.

    Args:
        settings: Of store and database, as the ledger's users.
        older_than_s: In place of what the settings say.
        dry_run: Delete nothing, only tell.
    """
    older_than = timedelta(seconds=settings.orphan_after_s if older_than_s is None else older_than_s)
    known = PostgresKnownJobs(settings.database_url.get_secret_value(), time.sleep)
    store = store_at(settings.store_url, settings.store_options)
    return Janitor(store, known, older_than, Metrics()).sweep(dry_run=dry_run)
