"""Faults of S3: errors, silence, torn and wrong bodies at every rate; listings that come late, puts that come twice."""

from __future__ import annotations

from typing import ClassVar, Final

from razgovor.chaos.fault import Fault
from razgovor.chaos.orphans import SWEPT_WITHIN_S
from razgovor.chaos.proxies import faults
from razgovor.chaos.stage import Stage

#: What happens to requests, and to how many of them.
_SPELLS: Final[tuple[tuple[faults.HttpFault, float], ...]] = (
    (faults.Error(status=500), 0.01),
    (faults.Error(status=503, code="SlowDown"), 0.2),
    (faults.Error(status=500, after_effect=True), 0.3),
    (faults.Reset(), 0.2),
    (faults.Reset(after_effect=True), 0.2),
    (faults.HalfBody(), 0.3),
    (faults.FlippedByte(), 0.2),
    (faults.HalfUpload(), 0.2),
    (faults.Hang(), 0.02),
    (faults.Slow(delay_s=1.0), 0.3),
    (faults.Error(status=503), 1.0),
)
_SPELL_S: Final = 2.5
_LARGE_S: Final = 1_500.0
_LIST_LAG_S: Final = 3.0


class StoreFails(Fault):
    """500, 503, timeouts, resets and torn bodies, from one in a hundred to all: nothing corrupt, no upload left over."""

    number: ClassVar[int] = 7
    name: ClassVar[str] = "S3 fails: 500, 503, timeout, reset, half and wrong bodies"
    drain_s: ClassVar[float] = 300.0

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        proxy = stage.ground.proxies["s3"]
        with stage.flow():
            for fault, share in stage.draw.sample(_SPELLS, len(_SPELLS)):
                proxy.set(faults.HttpRule(fault=fault, share=share, target="/jobs/"))
                large = stage.system.clients.submit(stage.system.orders(1, duration_s=_LARGE_S))
                stage.pause(_SPELL_S)
                proxy.set()
                large[0].result()
            stage.tell(f"befallen requests: {dict(proxy.befallen())}; flow after {stage.recovered():.1f} s")
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        # Those whose end S3 did not hear of either are the janitor's.
        stage.wait_for(lambda: not stage.ground.uploads(), "multipart uploads are left over", SWEPT_WITHIN_S)


class StoreLags(Fault):
    """Listings without what was just put, and puts carried out twice: nothing doubled, nothing missed."""

    number: ClassVar[int] = 8
    name: ClassVar[str] = "S3 lists late and puts twice"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        proxy = stage.ground.proxies["s3"]
        proxy.set(
            faults.HttpRule(fault=faults.ListLate(lag_s=_LIST_LAG_S), target="list-type=2"),
            faults.HttpRule(fault=faults.Twice(lag_s=0.3), share=0.5, methods=frozenset({"PUT"})),
        )
        with stage.flow():
            stage.pause(2.0)
            for service in ("transcriber", "exporter"):
                stage.system.crew.kill(stage.any_worker(service))
                stage.pause(3.0)
        befallen = proxy.befallen()
        stage.notes.expect(befallen.get("twice"), "no put was carried out twice")
        stage.notes.expect(befallen.get("list_late"), "no listing came late")
