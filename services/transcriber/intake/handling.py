"""The two questions of `stream.events.EventProcessor`, answered with what the intake knows. Built by `__main__`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.contracts.events import AudioUploaded, Event
from pipeline.errors import WorkerCrashed
from pipeline.outcome import Outcome, PutObject
from services.transcriber.handler import handle, started
from services.transcriber.intake.calls import Intake
from services.transcriber.ports import Ports


class Handling:
    """Announces and decides for calls that the intake takes on.

    Args:
        intake: Takes them on.
        ports: What the handler reads by.
    """

    def __init__(self, intake: Intake, ports: Ports) -> None:
        self._intake = intake
        self._ports = ports

    def announce(self, event: AudioUploaded) -> Sequence[Event]:
        """See `stream.events.Announce`: the start is marked, then told; nothing where there is no work left.

        Raises:
            Postponed: Another may be working on it, or it is not ours any more.
            Transient: The store does not answer.
        """
        taken = self._intake.take(event)
        return () if taken.found is not None or taken.given_up else (started(event),)

    def decide(self, event: AudioUploaded, received_at: datetime) -> Outcome[PutObject]:
        """See `stream.events.Handler`: what was found is announced again, what crashes workers is given up.

        Raises:
            WorkerCrashed: It crashed two workers alone.
            RazgovorError: As `handler.handle` raises it.
        """
        taken = self._intake.taken
        if taken.given_up:
            raise WorkerCrashed
        if taken.found is not None:
            return Outcome(events=(taken.found,))
        outcome = handle(event, received_at, self._ports)
        if outcome.effects:
            self._intake.transcribed()
        return outcome
