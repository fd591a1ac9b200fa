"""A full disk under ingest and the transcriber: uploads are refused by name or tried again, and all recovers."""

from __future__ import annotations

from typing import ClassVar, Final

from razgovor.chaos.fault import Fault
from razgovor.chaos.stage import Stage

#: Logs still fit; a large recording does not.
_FILE_LIMIT_BYTES: Final = 4_000_000
_LARGE_S: Final = 1_000.0
_LARGE_CALLS: Final = 6
_ERROR: Final = 500


class DiskFull(Fault):
    """No file may grow beyond a few megabytes under one ingest and one transcriber; then there is room again.

    PostgreSQL's, the broker's and MinIO's disks are not filled: docs/chaos.md says so.
    """

    number: ClassVar[int] = 9
    name: ClassVar[str] = "a full disk under ingest and the transcriber"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        before = stage.system.clients.answers.copy()
        workers = [stage.system.workers(service)[0] for service in ("ingest", "transcriber")]
        for worker in workers:
            worker.log.write_bytes(b"")  # what it says must fit
        stage.renewed({worker: {"RAZGOVOR_FILE_LIMIT_BYTES": str(_FILE_LIMIT_BYTES)} for worker in workers})
        with stage.flow(stage.pace.rate_per_s / 2):
            large = stage.system.clients.submit(stage.system.orders(_LARGE_CALLS, duration_s=_LARGE_S))
            stage.pause(6.0)
            stage.renewed({worker: {} for worker in workers})
            stage.tell("there is room again")
            for answer in large:
                answer.result()
        said = stage.system.clients.answers - before
        stage.notes.expect(not said[_ERROR], f"{said[_ERROR]} uploads were answered with 500")
