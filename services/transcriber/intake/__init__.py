"""How a call is taken on and let go of: start markers, who runs beside whom, what a crash means. Built by `__main__`.

`Intake` stands around `stream.events.EventProcessor` and is the runner's `Custody`; `Handling` answers the processor.
"""

from services.transcriber.intake.calls import Intake
from services.transcriber.intake.handling import Handling

__all__ = ["Handling", "Intake"]
