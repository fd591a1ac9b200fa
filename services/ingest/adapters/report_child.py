"""Reports in a child process of their own: a month of calls is minutes of work, which uploads shall not wait for.

`ReportChild` is the parent's side, called by `web.reports`; `maker` constructs what the child needs.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.blobs.location import store_at
from pipeline.blobs.options import StoreOptions
from pipeline.blobs.scratch import scratch_errors
from pipeline.errors import Transient
from pipeline.isolation import ChildError, ChildProcess, Limits
from services.ingest.adapters.postgres import Database, PostgresJobs
from services.ingest.report_questions import ReportQuestion

_START_TIMEOUT_S: Final = 60.0
_NAME: Final = "calls.xlsx"


@dataclass(frozen=True, slots=True)
class _Order:
    """`folder` is the parent's to remove, whatever becomes of the child."""

    question: ReportQuestion
    folder: Path


def maker(database_url: str, store_url: str, options: StoreOptions) -> Callable[[_Order], int]:
    """What makes reports. Runs in the child."""
    from services.ingest.reports import write_report  # noqa: PLC0415  the parent loads no writer of workbooks

    database = Database(database_url, max_connections=1)
    database.open()
    jobs, store = PostgresJobs(database), store_at(store_url, options)

    def make(order: _Order) -> int:
        tempfile.tempdir = str(order.folder)
        with scratch_errors(), (order.folder / _NAME).open("w+b") as target:
            return write_report(jobs, store, order.question, target)

    return make


class ReportChild:
    """See `web.ports.Reports`. One report at a time.

    Args:
        database_url: PostgreSQL, as ingest's role.
        store_url: The store.
        options: How it is reached.
        memory_bytes: What a report may take.
        timeout_s: How long it may take.
    """

    def __init__(
        self, database_url: str, store_url: str, options: StoreOptions, *, memory_bytes: int, timeout_s: float
    ) -> None:
        self._folder = options.scratch_dir
        self._timeout_s = timeout_s
        self._turn = threading.Lock()
        self._closed = False
        self._child: ChildProcess[_Order, int] | None = None
        self._new_child = partial(
            ChildProcess[_Order, int],
            partial(maker, database_url, store_url, options),
            name="ingest-report",
            limits=Limits(memory_bytes=memory_bytes),
            start_timeout_s=_START_TIMEOUT_S,
        )

    def make(self, question: ReportQuestion) -> BinaryIO | None:
        """See `Reports.make`."""
        if self._closed or not self._turn.acquire(blocking=False):
            return None
        try:
            # A child for each: what it mapped for one report is not kept for the next.
            self._child = self._new_child()
            with self._child:
                return self._made(self._child, question)
        except ChildError as error:
            raise Transient(f"a report: {error}") from error
        finally:
            self._turn.release()

    def _made(self, child: ChildProcess[_Order, int], question: ReportQuestion) -> BinaryIO:
        with scratch_errors(), tempfile.TemporaryDirectory(prefix="razgovor-report-", dir=self._folder) as folder:
            child.call(_Order(question, Path(folder)), timeout_s=self._timeout_s)
            return (Path(folder) / _NAME).open("rb")  # it stays until it is closed

    def close(self) -> None:
        """End the child; a report under way ends with Transient."""
        self._closed = True
        child = self._child
        if child is not None:
            child.close()
