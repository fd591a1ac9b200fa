"""Every crash point of each service, times kill -9: once, and twice in a row."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import ClassVar, Final

from pipeline.errors import RazgovorError
from pipeline.stream.ports import Record
from razgovor.chaos.engine_log import engine_calls, last_calls_of
from razgovor.chaos.fault import Fault
from razgovor.chaos.proxies.faults import Error, HttpRule
from razgovor.chaos.stage import Stage
from razgovor.chaos.worker import Worker

_EVENTS: Final = (
    "stream.handed_out",
    "stream.decoded",
    "stream.announced",
    "stream.decided",
    "stream.put_aside",
    "stream.effect_put",
    "stream.published",
    "stream.finished",
    "stream.committed",
)
#: The steps that each service comes by.
STEPS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest": (
        "ingest.audio_put",
        "ingest.call_info_put",
        "ingest.before_commit",
        "ingest.committed",
        "ingest.relay_published",
        "ingest.relay_marked",
        *_EVENTS,
    ),
    "transcriber": (
        *_EVENTS,
        "stream.retry_published",
        "transcriber.start_marked",
        "transcriber.prepared",
        "transcriber.heard",
        "transcriber.start_released",
    ),
    "exporter": _EVENTS,
    "ledger": (
        "stream.handed_out",
        "stream.put_aside",
        "stream.finished",
        "stream.committed",
        "ledger.before_commit",
        "ledger.committed",
    ),
}
#: Workers of a service that die side by side; the others take over meanwhile.
VICTIMS: Final[Mapping[str, int]] = {"ingest": 1, "transcriber": 3, "exporter": 2, "ledger": 1}
ATTEMPTS_MAX: Final = 3
_REACHED_WITHIN_S: Final = 120.0
_LATEST_REACH: Final = 3
_LOOK_EVERY_S: Final = 0.1
#: Rules of the S3 proxy: a quarter of all calls find no recording for a moment, while the canary does find its own.
_NO_AUDIO: Final = HttpRule(
    fault=Error(status=500), methods=frozenset({"GET"}), target=r"/jobs/[0-3][^/]*/audio", share=1.0
)
_BAD_TOPIC: Final = {
    "ingest": "call.recorded",
    "transcriber": "audio.uploaded",
    "ledger": "audio.uploaded",
    "exporter": "transcript.ready",
}


class CrashPoints(Fault):
    """Kill -9 at every crash point of each service, once and twice in a row."""

    number: ClassVar[int] = 1
    name: ClassVar[str] = "kill -9 at every crash point, once and twice"
    drain_s: ClassVar[float] = 240.0

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        before = engine_calls(stage.system.engine_log)
        steps_of = {**STEPS_OF, "ingest": _steps_of_ingest(stage)}
        left = {service: _in_order(stage.draw, steps) for service, steps in steps_of.items()}
        victims = [worker for service in left for worker in stage.system.workers(service)[: VICTIMS[service]]]
        with stage.flow(), ThreadPoolExecutor(len(victims)) as pool:
            plays = [
                pool.submit(_Victim(stage, worker, stage.draw.randrange(2**32)).play, left[worker.service])
                for worker in victims
            ]
            for play in plays:
                stage.notes.problems.extend(play.result())
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        heard = engine_calls(stage.system.engine_log) - before
        often = [call for call, times in heard.items() if times > ATTEMPTS_MAX]
        stage.notes.expect(not often, f"{len(often)} calls were heard more than {ATTEMPTS_MAX} times: {often[:3]}")


def _steps_of_ingest(stage: Stage) -> list[str]:
    """All of its own, and as many of the stream's as there is time for: one worker alone dies, as the relay must go on."""
    own = [step for step in STEPS_OF["ingest"] if step not in _EVENTS]
    return [*own, *stage.draw.sample(_EVENTS, min(stage.pace.ingest_stream_steps, len(_EVENTS)))]


def _in_order(draw: random.Random, steps: Sequence[str]) -> SimpleQueue[str]:
    """The steps as drawn, those first that have to be provoked: they take longest. A victim that is free takes the next."""
    left: SimpleQueue[str] = SimpleQueue()
    for step in sorted(draw.sample(steps, len(steps)), key=lambda step: step not in _PROVOKED):
        left.put(step)
    return left


def _next_of(left: SimpleQueue[str]) -> str | None:
    try:
        return left.get_nowait()
    except Empty:
        return None


class _Victim:
    """One worker that dies at its steps. Plays in a thread of its own."""

    def __init__(self, stage: Stage, worker: Worker, seed: int) -> None:
        self._stage = stage
        self._worker = worker
        self._draw = random.Random(seed)  # noqa: S311  a script of faults

    def play(self, left: SimpleQueue[str]) -> list[str]:
        """Die at one step after another while any are left, once and twice in a row.

        Returns:
            What should not have been.
        """
        problems: list[str] = []
        while (step := _next_of(left)) is not None:
            for times in (1, 2):
                try:
                    self._die(step, times)
                    self._stage.tell(f"{self._worker.name} died at {step}, {times} in a row")
                except RazgovorError as error:
                    problems.append(f"{self._worker.name} at {step}, {times} times in a row: {error}")
        return problems

    def _die(self, step: str, times: int) -> None:
        stage, crew = self._stage, self._stage.system.crew
        crew.wait_ready([self._worker])
        again = [{"RAZGOVOR_CRASH_AT": f"{step}:1"}] * (times - 1)
        dead = self._deaths()
        provoke = _PROVOKED.get(step, _leave)
        if step == "transcriber.start_released":
            crew.renew(self._worker, *[_slow(step)] * times)
        else:
            reach = 1 if step in _PROVOKED else self._draw.randint(1, _LATEST_REACH)
            crew.arm(self._worker, f"{step}:{reach}", *again)
        stage.wait_for(
            lambda: self._deaths() >= dead + times or provoke(self, step), "the step was not reached", _REACHED_WITHIN_S
        )
        crew.disarm(self._worker)
        if self._worker.service == "transcriber":
            # Calls that were torn out must be heard before the next crash: who is in every crash is taken for its cause.
            stage.system.wait_let_go([promise.job_id for promise in stage.promises], stage.limit_s)
        crew.wait_ready([self._worker])

    def _deaths(self) -> int:
        """How often it was killed since the fault began."""
        deaths = self._stage.system.crew.deaths[self._stage.first_death :]
        return sum(death.worker == self._worker.name and death.status < 0 for death in deaths)

    def _while_it_lives(self, longest_s: float) -> None:
        """Let things go on for a while, and no longer than until it dies."""
        dead, until_s = self._deaths(), time.monotonic() + longest_s
        while self._deaths() == dead and time.monotonic() < until_s:
            self._stage.pause(_LOOK_EVERY_S)

    def send_bad_record(self, step: str) -> bool:
        """One record that is no event, into whichever partition."""
        key = str(self._draw.random()).encode()
        self._stage.ground.broker.publish(Record(_BAD_TOPIC[self._worker.service], key, step.encode()))
        self._while_it_lives(2.0)
        return False

    def lose_recordings(self, _step: str) -> bool:
        """A while in which the store fails for some recordings and for nothing else.

        Long enough for a recording to fail twice with the canary asked between, whatever else the machine does.
        """
        self._stage.ground.proxies["s3"].set(_NO_AUDIO)
        self._while_it_lives(4.0)
        self._stage.ground.proxies["s3"].set()
        self._while_it_lives(3.0)
        return False

    def ask_to_stop(self, step: str) -> bool:
        """SIGTERM once it hears a call that it cannot end in time; again if it ended in order all the same."""
        crew = self._stage.system.crew
        if self._worker.is_ready and self._worker.crash_at is None:
            crew.renew(self._worker, _slow(step))
        elif self._worker.is_ready and self._hears():
            crew.terminated(self._worker)
        self._stage.pause(0.5)
        return False

    def _hears(self) -> bool:
        pid = self._worker.pid
        return pid is not None and bool(last_calls_of(self._stage.system.engine_log, pid, 1))


def _slow(step: str) -> dict[str, str]:
    """A life in which a call takes several times as long as a drain, and no longer: others wait for what is in its hands."""
    return {"RAZGOVOR_CRASH_AT": f"{step}:1", "RAZGOVOR_ENGINE_S": "8", "TRANSCRIBER_DRAIN_TIMEOUT_S": "2"}


def _leave(victim: _Victim, _step: str) -> bool:  # noqa: ARG001  calls flow by themselves
    return False


#: What brings a worker to a step that calls alone do not bring it to. Each says False: the death is what counts.
_PROVOKED: Final[Mapping[str, Callable[[_Victim, str], bool]]] = {
    "stream.put_aside": _Victim.send_bad_record,
    "stream.retry_published": _Victim.lose_recordings,
    "transcriber.start_released": _Victim.ask_to_stop,
}
