"""Faults of Kafka: killed for a while, its disk lost, a DLQ that is not there."""

from __future__ import annotations

from typing import ClassVar, Final

from pipeline.stream.ports import Record, TopicPartition
from razgovor.chaos.fault import BROKER_LIMIT_S, Fault
from razgovor.chaos.stage import Stage

_WATCH_S: Final = 4.0
_TOPIC: Final = "audio.uploaded"
#: Who reads it, and puts aside what is no event.
_GROUPS: Final = ("transcriber", "ledger")


class BrokerDown(Fault):
    """Kill -9 and a long absence: uploads still get 202, the flow is back soon after the broker."""

    number: ClassVar[int] = 4
    name: ClassVar[str] = "Kafka killed and away"
    limit_s: ClassVar[float] = BROKER_LIMIT_S
    drain_s: ClassVar[float] = 300.0
    peer_limit: ClassVar[bool] = True

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        with stage.flow():
            stage.pause(1.0)
            stage.ground.kafka.kill()
            stage.tell(f"Kafka is away for {stage.pace.broker_outage_s:.0f} s")
            before = len(stage.promises)
            stage.pause(stage.pace.broker_outage_s)
            taken = len(stage.promises) - before
            expected = stage.pace.broker_outage_s * stage.pace.rate_per_s / 2
            stage.notes.expect(taken >= expected, f"only {taken} uploads were taken while Kafka was away")
            stage.ground.kafka.start()
            stage.tell(f"{taken} uploads were taken; Kafka is back, flow after {stage.recovered():.1f} s")


class BrokerWiped(Fault):
    """The broker comes back without its disk: everything accepted is announced again and ends.

    No call comes by event meanwhile: one that ingest has not taken is lost with the disk, and its writer's to send again.
    """

    number: ClassVar[int] = 5
    name: ClassVar[str] = "Kafka's disk lost"
    call_events: ClassVar[bool] = False
    drain_s: ClassVar[float] = 300.0
    peer_limit: ClassVar[bool] = True

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        with stage.flow():
            stage.pause(2.0)
            stage.ground.kafka.wipe()
            stage.ground.kafka.start()
            stage.ground.make_topics()
            stage.tell(f"an empty Kafka is back, flow after {stage.recovered():.1f} s")


class DlqDown(Fault):
    """The DLQ is not there: no offset passes a record that is put nowhere."""

    number: ClassVar[int] = 20
    name: ClassVar[str] = "the DLQ away"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        broker = stage.ground.broker
        broker.delete_topic(f"{_TOPIC}.dlq")
        before = stage.ground.record.dead_letters()
        with stage.flow():
            place = broker.publish(Record(_TOPIC, b"bad", b"this is no event"))
            log = TopicPartition(place.topic, place.partition)
            stage.pause(_WATCH_S)
            for group in _GROUPS:
                stands = broker.committed(group, [_TOPIC]).get(log, 0)
                stage.notes.expect(stands <= place.offset, f"{group} passed a record that is put nowhere")
            stage.ground.make_topics()
            stage.tell("the DLQ is back")
            stage.wait_for(
                lambda: stage.ground.record.dead_letters() == before + len(_GROUPS), "the ledger does not know of it"
            )
