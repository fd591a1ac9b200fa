"""Faults of S3: errors, silence, torn and wrong bodies at every rate; listings that come late, puts that come twice."""

from __future__ import annotations

from typing import ClassVar, Final

from razgovor.chaos.clients import UNAVAILABLE
from razgovor.chaos.fault import Fault
from razgovor.chaos.orphans import SWEPT_WITHIN_S
from razgovor.chaos.proxies import faults
from razgovor.chaos.stage import Stage

_JOBS: Final = "/jobs/"
#: Bodies are torn and changed only where there are some.
_READS: Final = frozenset({"GET"})
_WRITES: Final = frozenset({"PUT", "POST"})
#: What happens to which requests, and to how many of them.
_SPELLS: Final[tuple[faults.HttpRule, ...]] = (
    faults.HttpRule(fault=faults.Error(status=500), share=0.01, target=_JOBS),
    faults.HttpRule(fault=faults.Error(status=503, code="SlowDown"), share=0.2, target=_JOBS),
    faults.HttpRule(fault=faults.Error(status=500, after_effect=True), share=0.3, target=_JOBS),
    faults.HttpRule(fault=faults.Reset(), share=0.2, target=_JOBS),
    faults.HttpRule(fault=faults.Reset(after_effect=True), share=0.2, target=_JOBS),
    faults.HttpRule(fault=faults.HalfBody(), share=0.3, target=_JOBS, methods=_READS),
    faults.HttpRule(fault=faults.FlippedByte(), share=0.2, target=_JOBS, methods=_READS),
    faults.HttpRule(fault=faults.HalfUpload(), share=0.2, target=_JOBS, methods=_WRITES),
    faults.HttpRule(fault=faults.Hang(), share=0.02, target=_JOBS),
    faults.HttpRule(fault=faults.Slow(delay_s=1.0), share=0.3, target=_JOBS),
    faults.HttpRule(fault=faults.Error(status=503), share=1.0, target=_JOBS),
)
_SPELL_S: Final = 2.5
#: A spell that has befallen nobody yet lasts on, up to this.
_BEFALLS_WITHIN_S: Final = 60.0
_LARGE_S: Final = 1_500.0
_LIST_LAG_S: Final = 3.0


class StoreFails(Fault):
    """500, 503, timeouts, resets and torn bodies, from one in a hundred to all: nothing corrupt, no upload left over."""

    number: ClassVar[int] = 7
    name: ClassVar[str] = "S3 fails: 500, 503, timeout, reset, half and wrong bodies"
    drain_s: ClassVar[float] = 300.0
    answers: ClassVar[frozenset[int]] = frozenset({UNAVAILABLE})

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        with stage.flow():
            rules = stage.draw.sample(_SPELLS, len(_SPELLS))
            befallen = [f"{rule.fault.kind} {self._spell(stage, rule)}" for rule in rules]
            stage.tell(f"befallen requests: {', '.join(befallen)}; flow after {stage.recovered():.1f} s")
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        # Those whose end S3 did not hear of either are the janitor's.
        stage.wait_for(lambda: not stage.ground.uploads(), "multipart uploads are left over", SWEPT_WITHIN_S)

    @staticmethod
    def _spell(stage: Stage, rule: faults.HttpRule) -> int:
        """Let requests fail for a while, at least one; how many did.

        Raises:
            EmbeddedFailed: None did.
        """
        proxy, kind = stage.ground.proxies["s3"], rule.fault.kind
        before = proxy.befallen().get(kind, 0)
        proxy.set(rule)
        large = stage.system.clients.submit(stage.system.orders(1, duration_s=_LARGE_S))
        try:
            stage.pause(_SPELL_S)
            stage.wait_for(
                lambda: proxy.befallen().get(kind, 0) > before, f"no request was befallen: {kind}", _BEFALLS_WITHIN_S
            )
        finally:
            proxy.set()
        large[0].result()
        return proxy.befallen().get(kind, 0) - before


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
