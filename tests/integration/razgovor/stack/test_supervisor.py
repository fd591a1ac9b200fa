from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from razgovor.embedded.errors import ProcessFailed
from razgovor.embedded.waiting import until
from razgovor.stack.service_spec import Backoff, FactsByName, ServiceSpec, ServiceState, no_environment
from razgovor.stack.supervisor import Supervisor

#: Writes its status file, notes start and end in `journal`, and ends with its input.
CHILD = """
import json, os, sys, signal
status, journal, name = sys.argv[1:4]
def note(word):
    with open(journal, "a") as file: file.write(f"{word} {name}\\n")
signal.signal(signal.SIGTERM, lambda *_: None)
note("start")
with open(status + ".tmp", "w") as file:
    json.dump({"state": "ready", "pid": os.getpid(), "told": os.environ.get("TOLD", "")}, file)
os.replace(status + ".tmp", status)
sys.stdin.read()
note("end")
"""
FAST = Backoff(first_s=0.05, longest_s=0.2, stable_s=60)
DEADLINE_S = 15.0


class Workshop:
    """Makes specs and supervisors in a folder; ends them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: list[Supervisor] = []

    def spec(
        self,
        name: str,
        *needs: str,
        script: str = CHILD,
        environment: Callable[[FactsByName], Mapping[str, str]] = no_environment,
        start_timeout_s: float = DEADLINE_S,
    ) -> ServiceSpec:
        status_file = self.folder / f"{name}.json"
        return ServiceSpec(
            name=name,
            command=(sys.executable, "-S", "-c", script, str(status_file), str(self.folder / "journal"), name),
            status_file=status_file,
            needs=needs,
            environment=environment,
            start_timeout_s=start_timeout_s,
            stop_timeout_s=5,
        )

    def supervisor(self, *specs: ServiceSpec) -> Supervisor:
        made = Supervisor(specs, self.folder, backoff=FAST)
        self._made.append(made)
        return made

    def journal(self) -> list[str]:
        return (self.folder / "journal").read_text(encoding="utf-8").splitlines()

    def close(self) -> None:
        for made in self._made:
            made.stop()


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.close()


def state(supervisor: Supervisor, name: str) -> ServiceState:
    return next(one for one in supervisor.states() if one.name == name)


def pid(supervisor: Supervisor, name: str) -> int:
    found = state(supervisor, name).pid
    assert found is not None
    return found


def kill(supervisor: Supervisor, name: str) -> int:
    """kill -9; the old process id, when another one is ready."""
    old = pid(supervisor, name)
    os.kill(old, signal.SIGKILL)
    until(lambda: state(supervisor, name).state == "ready" and state(supervisor, name).pid != old, DEADLINE_S)
    return old


def test_services_start_after_what_they_need_and_end_before_it(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("a"), workshop.spec("b", "a"), workshop.spec("c", "b"))
    supervisor.start()
    assert [one.state for one in supervisor.states()] == ["ready"] * 3
    supervisor.stop()
    assert workshop.journal() == ["start a", "start b", "start c", "end c", "end b", "end a"]
    assert [(one.state, one.pid) for one in supervisor.states()] == [("stopped", None)] * 3


def test_a_service_before_what_it_needs_is_refused(workshop: Workshop) -> None:
    with pytest.raises(ValueError, match="stands before"):
        workshop.supervisor(workshop.spec("b", "a"), workshop.spec("a"))


def test_kill_9_of_a_service_heals_and_touches_no_other(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("a"), workshop.spec("b", "a"))
    supervisor.start()
    untouched = pid(supervisor, "a")
    kill(supervisor, "b")
    assert (state(supervisor, "b").restarts, state(supervisor, "a").restarts) == (1, 0)
    assert pid(supervisor, "a") == untouched


def test_a_peer_that_comes_back_alike_leaves_those_that_need_it_running(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("a"), workshop.spec("b", "a"))
    supervisor.start()
    untouched = pid(supervisor, "b")
    kill(supervisor, "a")
    assert pid(supervisor, "b") == untouched


def test_a_peer_that_comes_back_elsewhere_renews_those_that_need_it_and_that_is_no_failure(workshop: Workshop) -> None:
    def told(facts: FactsByName) -> Mapping[str, str]:
        return {"TOLD": str(facts["a"]["pid"])}

    supervisor = workshop.supervisor(workshop.spec("a"), workshop.spec("b", "a", environment=told))
    supervisor.start()
    before = pid(supervisor, "b")
    kill(supervisor, "a")
    until(lambda: state(supervisor, "b").state == "ready" and state(supervisor, "b").pid != before, DEADLINE_S)
    until(lambda: supervisor.facts("b")["told"] == str(pid(supervisor, "a")), DEADLINE_S)
    assert state(supervisor, "b").restarts == 0
    assert "end b" in workshop.journal()


def test_a_service_that_dies_at_the_start_fails_it_with_its_log_and_ends_the_rest(workshop: Workshop) -> None:
    broken = workshop.spec("b", "a", script="import sys; sys.exit('no model here')")
    supervisor = workshop.supervisor(workshop.spec("a"), broken)
    with pytest.raises(ProcessFailed, match="no model here") as failure:
        supervisor.start()
    assert failure.value.name == "b"
    assert workshop.journal() == ["start a", "end a"]


def test_a_service_that_is_not_ready_in_time_fails_the_start(workshop: Workshop) -> None:
    silent = workshop.spec("a", script="import sys; sys.stdin.read()", start_timeout_s=0.3)
    with pytest.raises(ProcessFailed, match="not ready"):
        workshop.supervisor(silent).start()


def test_a_service_whose_fuse_has_blown_counts_as_started_and_is_left_alone(workshop: Workshop) -> None:
    fused = CHILD.replace('"ready"', '"fused"')
    supervisor = workshop.supervisor(workshop.spec("a", script=fused, start_timeout_s=5), workshop.spec("b", "a"))
    supervisor.start()
    assert [(one.name, one.state, one.restarts) for one in supervisor.states()] == [
        ("a", "fused", 0),
        ("b", "ready", 0),
    ]


def test_one_that_keeps_dying_is_tried_again_and_again_without_taking_others_along(workshop: Workshop) -> None:
    # Ready once; each later start dies: the status file of the first says so.
    flaky = CHILD.replace('note("start")', 'note("start"); os.path.exists(status + ".once") and sys.exit("again")')
    flaky = flaky.replace('note("end")', "pass").replace(
        "sys.stdin.read()", 'open(status + ".once", "w").close(); sys.stdin.read()'
    )
    supervisor = workshop.supervisor(workshop.spec("a"), workshop.spec("b", script=flaky))
    supervisor.start()
    until((workshop.folder / "b.json.once").exists, DEADLINE_S)
    os.kill(pid(supervisor, "b"), signal.SIGKILL)
    until(lambda: state(supervisor, "b").restarts >= 3, DEADLINE_S)
    assert state(supervisor, "a").restarts == 0
    (workshop.folder / "b.json.once").unlink()
    until(lambda: state(supervisor, "b").state == "ready", DEADLINE_S)


def test_a_command_that_cannot_be_run_fails_the_start(workshop: Workshop) -> None:
    spec = ServiceSpec(name="a", command=("/no/such/program",), status_file=workshop.folder / "a.json")
    with pytest.raises(ProcessFailed, match="could not be started"):
        workshop.supervisor(spec).start()


def test_a_later_start_gets_what_the_first_said_of_itself(workshop: Workshop) -> None:
    first = workshop.spec("a")
    spec = ServiceSpec(
        name="a",
        command=first.command,
        status_file=first.status_file,
        again=lambda own: {"TOLD": f"was {own['pid']}"},
    )
    supervisor = workshop.supervisor(spec)
    supervisor.start()
    old = kill(supervisor, "a")
    until(lambda: supervisor.facts("a")["told"] == f"was {old}", DEADLINE_S)


def test_what_a_service_says_in_its_status_file_is_its_fact(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("a", environment=lambda _: {"TOLD": "this"}))
    supervisor.start()
    assert supervisor.facts("a")["told"] == "this"
    assert json.loads((workshop.folder / "a.json").read_text(encoding="utf-8"))["pid"] == pid(supervisor, "a")


def test_stop_before_start_and_twice_is_fine(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("a"))
    supervisor.stop()
    supervisor.stop()
    assert state(supervisor, "a").state == "stopped"


@pytest.mark.parametrize(("failures", "pause_s"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (10_000, 30.0)])
def test_pauses_double_up_to_the_longest(failures: int, pause_s: float) -> None:
    assert Backoff().pause_s(failures) == pause_s
