"""Everything again: events that come three times in any order, and all groups turned back to the first record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from pipeline.contracts.events import BY_TOPIC, OF_JOBS, CallRecorded
from pipeline.stream.ports import TopicPartition
from razgovor.chaos.fault import Fault
from razgovor.chaos.stage import Stage
from razgovor.chaos.system import LOOK_EVERY_S

GROUPS: Final = ("ingest", "transcriber", "exporter", "ledger")
#: What each group reads, without the DLQs: records of these lie where they lie.
READ_BY: Final = {
    "ingest": (CallRecorded.TOPIC,),
    "transcriber": ("audio.uploaded",),
    "exporter": ("transcript.ready",),
    "ledger": tuple(OF_JOBS),
}
_TIMES: Final = 3
#: Of more calls the ledger alone reads everything again: its record is what must stay.
_ALL_GROUPS_UP_TO: Final = 2_000
#: Nothing may have come between two looks so far apart.
_QUIET_S: Final = 1.5
_TIMEOUT_S: Final = 900.0


def wait_read(stage: Stage, groups: Sequence[str] = GROUPS) -> None:
    """Wait until these groups have read what there is, and nothing came of it for a moment."""
    topics = list(BY_TOPIC)
    quiet_at: dict[TopicPartition, int] = {}

    def is_quiet() -> bool:
        nonlocal quiet_at
        ends = stage.ground.broker.ends(topics)
        if _are_behind(stage, groups, ends):
            quiet_at = {}
            stage.pause(LOOK_EVERY_S)
            return False
        if ends == quiet_at:
            return True
        quiet_at = ends
        stage.pause(_QUIET_S)
        return False

    stage.wait_for(is_quiet, "the groups did not read everything", _TIMEOUT_S)


def _are_behind(stage: Stage, groups: Sequence[str], ends: Mapping[TopicPartition, int]) -> bool:
    broker = stage.ground.broker
    return any(at < ends[log] for group in groups for log, at in broker.committed(group, READ_BY[group]).items())


class Shuffled(Fault):
    """Every event three times, in any order: states and bills are as they were."""

    number: ClassVar[int] = 11
    name: ClassVar[str] = "every event three times, shuffled"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        stage.send_and_wait(stage.pace.jobs)
        stage.system.wait_ended(self.drain_s)
        wait_read(stage)
        before = stage.ground.record.checksum()
        records = stage.ground.broker.records(list(BY_TOPIC)) * (_TIMES - 1)
        stage.draw.shuffle(records)
        stage.tell(f"{len(records)} records come again")
        stage.ground.broker.publish(*records)
        wait_read(stage)
        stage.notes.expect(stage.ground.record.checksum() == before, "the ledger says something else than before")


class Replayed(Fault):
    """All groups back to the first record, three times: the ledger's checksum stays."""

    number: ClassVar[int] = 12
    name: ClassVar[str] = "all groups turned back, three times"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        stage.send_and_wait(stage.pace.jobs)
        stage.system.wait_ended(self.drain_s)
        wait_read(stage)
        before = stage.ground.record.checksum()
        groups = GROUPS if len(stage.system.book) <= _ALL_GROUPS_UP_TO else GROUPS[-1:]
        stage.tell(f"{len(stage.system.book)} calls come again for {', '.join(groups)}")
        workers = [worker for group in groups for worker in stage.system.workers(group)]
        for time in range(1, _TIMES + 1):
            stage.system.crew.rest(*workers)
            for group in groups:
                stage.ground.broker.turn_back(group, READ_BY[group])
            stage.system.crew.wake(*workers)
            stage.system.crew.wait_ready()
            wait_read(stage, groups)
            same = stage.ground.record.checksum() == before
            stage.tell(f"replay {time}: the checksum is {'the same' if same else 'another'}")
            stage.notes.expect(same, f"replay {time} changed what the ledger says")
