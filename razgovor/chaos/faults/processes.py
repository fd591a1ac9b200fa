"""Faults of processes: frozen past their session, killed in a storm, told to stop with work in flight."""

from __future__ import annotations

import math
from typing import ClassVar, Final

from razgovor.chaos.engine_log import engine_calls, last_calls_of
from razgovor.chaos.fault import Fault
from razgovor.chaos.ground import SESSION_TIMEOUT_MS
from razgovor.chaos.hands import is_transcribed, names_of
from razgovor.chaos.stage import Stage
from razgovor.chaos.system import SHORTENED

#: Kills in a storm come this far apart.
_STORM_PAUSE_S: Final = (1.0, 5.0)
_DRAIN_LIMIT_S: Final = 10.0
_SLOW_ENGINE_S: Final = 30.0
#: Repeated work that nobody was killed for: calls that a new owner took while the old one still heard them.
_REPEATED_SHARE: Final = 0.005


class Zombie(Fault):
    """SIGSTOP past the session's timeout, then SIGCONT: the late result changes nothing."""

    number: ClassVar[int] = 2
    name: ClassVar[str] = "a worker frozen past its session, then woken"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        with stage.flow():
            for service in ("transcriber", "exporter", "ledger"):
                worker = stage.any_worker(service)
                stage.pause(1.0)
                stage.tell(f"freezing {worker.name}")
                stage.system.crew.freeze(worker)
                stage.pause(SESSION_TIMEOUT_MS / 1000 + 3.0)
                stage.system.crew.thaw(worker)
            stage.pause(1.0)
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        for promise in stage.promises:
            heard = stage.ground.record.transcripts(promise.job_id)
            stage.notes.expect(heard == 1, f"{promise.job_id}: {heard} transcripts had an effect")


class Storm(Fault):
    """Workers killed every one to five seconds: each job once, and hardly any work done twice."""

    number: ClassVar[int] = 3
    name: ClassVar[str] = "a storm of kills and rebalances"
    drain_s: ClassVar[float] = 600.0

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        log = stage.system.engine_log
        before = engine_calls(log).total()
        torn = 0
        with stage.flow(stage.pace.rate_per_s * 1.5):
            for number in range(stage.pace.storm_kills):
                stage.pause(stage.draw.uniform(*_STORM_PAUSE_S))
                worker = stage.any_worker("transcriber", "exporter", "ledger", "ingest")
                if number % 10 == 0:
                    stage.tell(f"kill {number + 1} of {stage.pace.storm_kills}: {worker.name}")
                pid = worker.pid
                stage.system.crew.kill(worker)
                if worker.service == "transcriber" and pid is not None:
                    torn += len(torn_out(stage, pid))
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        jobs = len(stage.promises)
        repeated = engine_calls(log).total() - before - jobs
        allowed = torn + math.ceil(jobs * _REPEATED_SHARE)
        stage.tell(f"kills tore {torn} calls out; the engine heard {repeated} of {jobs} again")
        stage.notes.expect(repeated <= allowed, f"the engine repeated {repeated} calls; allowed are {allowed}")


def torn_out(stage: Stage, pid: int) -> list[str]:
    """The calls that a transcriber's process was hearing when it was killed, just now: no transcript of them lies in the store."""
    in_flight = int(SHORTENED["transcriber"]["MAX_IN_FLIGHT"])
    calls = last_calls_of(stage.system.engine_log, pid, in_flight)
    return [call for call in calls if not _is_transcribed(stage, call)]


def _is_transcribed(stage: Stage, call: str) -> bool:
    job_id, _, run = call.rpartition("/")
    return is_transcribed(names_of(stage.ground.store, job_id, int(run)))


class Terminated(Fault):
    """SIGTERM with work in flight: drained or handed over within ten seconds."""

    number: ClassVar[int] = 17
    name: ClassVar[str] = "SIGTERM with work in flight"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        slow = stage.system.workers("transcriber")[0]
        stage.renewed({slow: {"RAZGOVOR_ENGINE_S": str(_SLOW_ENGINE_S)}})
        victims = [stage.system.workers(service)[0] for service in ("transcriber", "exporter", "ledger", "ingest")]
        with stage.flow():
            stage.pause(3.0)
            for worker in victims:
                stage.system.crew.wait_ready([worker])  # whoever has just started does not listen yet
                took_s = stage.system.crew.terminated(worker)
                stage.tell(f"{worker.name} ended {took_s:.1f} s after SIGTERM")
                stage.notes.expect(took_s <= _DRAIN_LIMIT_S, f"{worker.name} took {took_s:.1f} s to stop")
        statuses = [death.status for death in stage.system.crew.deaths[stage.first_death :] if death.asked]
        stage.notes.expect(not any(statuses), f"not all drained: exit statuses {statuses}")
