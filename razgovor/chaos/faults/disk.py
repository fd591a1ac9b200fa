"""A full disk under ingest and the transcriber: uploads are refused by name and tried again, calls wait, and all recovers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import ClassVar, Final

from razgovor.chaos.book import Promise
from razgovor.chaos.clients import UNAVAILABLE
from razgovor.chaos.fault import Fault
from razgovor.chaos.stage import Stage
from razgovor.chaos.worker import Worker

#: Logs still fit; a large recording does not.
_FILE_LIMIT_BYTES: Final = 4_000_000
_LARGE_S: Final = 1_000.0
_LARGE_EVERY_S: Final = 1.5
#: Each of them must come by a large recording: another goes off until both have.
_FULL_WITHIN_S: Final = 90.0
#: What a worker says of a scratch folder that takes no more.
_NO_ROOM: Final = b"scratch: EFBIG"


class DiskFull(Fault):
    """No file may grow beyond a few megabytes under one ingest and one transcriber; then there is room again.

    PostgreSQL's, the broker's and MinIO's disks are not filled: docs/chaos.md says so.
    """

    number: ClassVar[int] = 9
    name: ClassVar[str] = "a full disk under ingest and the transcriber"
    answers: ClassVar[frozenset[int]] = frozenset({UNAVAILABLE})

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        workers = [stage.system.workers(service)[0] for service in ("ingest", "transcriber")]
        for worker in workers:
            worker.log.write_bytes(b"")  # what it says must fit
        stage.renewed({worker: {"RAZGOVOR_FILE_LIMIT_BYTES": str(_FILE_LIMIT_BYTES)} for worker in workers})
        with stage.flow(stage.pace.rate_per_s / 2):
            try:
                large = self._until_full(stage, workers)
            finally:
                stage.renewed({worker: {} for worker in workers})
            stage.tell("there is room again")
            for answer in large:
                answer.result()
        stage.notes.expect(stage.answers[UNAVAILABLE], "no upload was answered with 503 while the disk was full")

    @staticmethod
    def _until_full(stage: Stage, workers: Sequence[Worker]) -> list[Future[Promise | None]]:
        """Send large recordings until each of these has found no room for one; those that are under way."""
        under_way: list[Future[Promise | None]] = []

        def all_were_full() -> bool:
            under_way.extend(stage.system.clients.submit(stage.system.orders(1, duration_s=_LARGE_S)))
            stage.pause(_LARGE_EVERY_S)
            return all(_NO_ROOM in worker.log.read_bytes() for worker in workers)

        stage.wait_for(all_were_full, "not every limited worker found its disk full", _FULL_WITHIN_S)
        stage.tell(f"{' and '.join(worker.name for worker in workers)} had no room; {len(under_way)} large calls")
        return under_way
