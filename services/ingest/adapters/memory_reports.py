"""The shipped fake of `web.ports.Reports`: makes workbooks where it is asked, in memory."""

from __future__ import annotations

import io
from typing import BinaryIO

from pipeline.blobs.ports import BlobStore
from services.ingest.ports import Jobs
from services.ingest.report_questions import ReportQuestion
from services.ingest.reports import write_report


class MemoryReports:
    """See `Reports`. `busy`: another report is being made."""

    def __init__(self, jobs: Jobs, store: BlobStore) -> None:
        self.busy = False
        self._jobs = jobs
        self._store = store

    def make(self, question: ReportQuestion) -> BinaryIO | None:
        """See `Reports.make`."""
        if self.busy:
            return None
        made = io.BytesIO()
        write_report(self._jobs, self._store, question, made)
        made.seek(0)
        return made
