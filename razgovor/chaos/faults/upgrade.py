"""A rolling upgrade: workers of this release and of the next side by side, both schemas on the topics."""

from __future__ import annotations

from typing import ClassVar

from pipeline.stream.schema_registry import subject_of
from razgovor.chaos import next_release
from razgovor.chaos.fault import CannotPlay, Fault
from razgovor.chaos.stage import Stage
from razgovor.topics.keeper import released


class RollingUpgrade(Fault):
    """One worker of each service after another becomes the next release, and goes back: no DLQ, no loss."""

    number: ClassVar[int] = 22
    name: ClassVar[str] = "a rolling upgrade, both schemas live"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        registrar = stage.ground.registrar
        if registrar is None:
            raise CannotPlay("releases side by side need a schema registry")
        before = stage.ground.record.dead_letters()
        newest = {
            schema.event: schema for schema in sorted(next_release.schemas().values(), key=lambda one: one.version)
        }
        for topic, schema in released():
            registrar.register(subject_of(topic), newest[schema.event].text)
        with stage.flow():
            for service in ("ledger", "exporter", "transcriber", "ingest"):
                worker = stage.system.workers(service)[0]
                stage.renewed({worker: {"RAZGOVOR_RELEASE": "next"}})
                stage.tell(f"{worker.name} is of the next release")
            stage.pause(3.0)
            for service in ("ingest", "transcriber", "exporter", "ledger"):
                stage.renewed({stage.system.workers(service)[0]: {}})
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        aside = stage.ground.record.dead_letters() - before
        stage.notes.expect(not aside, f"{aside} records were put aside")
