"""The stack's folder and its peers as real processes; the four services have `test_stack_kill`."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaProducer
from razgovor.embedded import postgres_place as places
from razgovor.embedded.errors import HomeBusy
from razgovor.embedded.testing import temporary_folder
from razgovor.embedded.waiting import until
from razgovor.stack import Stack, StackOptions
from razgovor.stack.layout import StackFolder
from razgovor.stack.service_spec import ServiceState
from razgovor.stack.specs import BROKER, POSTGRES, address_of, stack_specs
from razgovor.stack.supervisor import Supervisor


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_we_make_is_private_and_what_we_did_not_make_stays(folder: Path) -> None:
    theirs = folder / "theirs"
    theirs.mkdir()
    theirs.chmod(0o755)
    before = {path: path.stat()[:6] for path in (folder, *folder.parents)}
    made = StackFolder(theirs)
    made.make()
    assert mode(theirs) == 0o755
    assert [mode(path) for path in (made.store, made.run, made.logs, made.scratch)] == [0o700] * 4
    StackFolder(folder / "ours").make()
    assert mode(folder / "ours") == (0o711 if os.geteuid() == 0 else 0o700)
    assert {path: path.stat()[:3] for path in before} == {path: facts[:3] for path, facts in before.items()}


def test_two_stacks_never_share_a_folder(folder: Path) -> None:
    first = Stack(folder)
    first.folder.make()
    held = first._lock("stack.lock", 0, "never")
    with pytest.raises(HomeBusy, match="another razgovor"):
        Stack(folder).start()
    assert held >= 0
    first.stop()


def test_what_killed_services_left_is_removed_and_links_are_not_followed(folder: Path) -> None:
    made = StackFolder(folder / "stack")
    made.make()
    (folder / "other").mkdir()
    (folder / "other" / "kept").touch()
    (made.scratch / "left").mkdir()
    (made.scratch / "left" / "channel.f32").touch()
    (made.scratch / "link").symlink_to(folder / "other")
    made.empty_scratch()
    assert list(made.scratch.iterdir()) == []
    assert (folder / "other" / "kept").exists()


def test_kill_9_of_database_and_broker_heals_and_the_database_keeps_its_address(folder: Path) -> None:
    home = StackFolder(folder / "stack")
    home.make()
    options = StackOptions(fallback_root=folder / "fallback")
    peers = [spec for spec in stack_specs(home, options) if spec.name in (BROKER, POSTGRES)]
    supervisor = Supervisor(peers, home.logs)
    supervisor.start()
    try:
        before = Stack(folder / "stack", options=options).database_urls
        for name in (BROKER, POSTGRES):
            _kill(supervisor, name)
        assert Stack(folder / "stack", options=options).database_urls == before
        with psycopg.connect(before.ledger) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("razgovor_ledger",)
        producer = KafkaProducer(KafkaConnection(bootstrap_servers=address_of(supervisor.facts(BROKER))))
        producer.verify()
        producer.close()
    finally:
        supervisor.stop()
    assert [(one.state, one.pid, one.restarts) for one in supervisor.states()] == [("stopped", None, 1)] * 2


def _kill(supervisor: Supervisor, name: str) -> None:
    def found() -> ServiceState:
        return next(one for one in supervisor.states() if one.name == name)

    old = found().pid
    assert old is not None
    os.kill(old, signal.SIGKILL)
    until(lambda: found().state == "ready" and found().pid != old, 30)


def test_each_service_is_told_its_own_and_nothing_of_the_others(folder: Path) -> None:
    home = StackFolder(folder / "stack")
    home.make()
    places.make_folder(home.postgres, 0o700)
    facts = {"broker": {"address": "127.0.0.1:1"}, "postgres": {"socket_folder": "/s"}, "ledger": {}}
    told = {spec.name: spec.environment(facts) for spec in stack_specs(home, StackOptions(port=8080))}
    ingest, ledger, exporter = told["ingest"], told["ledger"], told["exporter"]
    assert ingest["INGEST_BOOTSTRAP_SERVERS"] == "127.0.0.1:1"
    assert ingest["INGEST_PORT"] == "8080"
    assert ingest["INGEST_STORE_URL"] == (folder / "stack" / "store").as_uri()
    assert "//razgovor_ingest:" in ingest["INGEST_DATABASE_URL"]
    assert "//razgovor_ledger:" in ledger["LEDGER_DATABASE_URL"]
    assert not [name for name in (*exporter, *told["transcriber"]) if "DATABASE" in name]
    for name in ("ingest", "ledger", "exporter", "transcriber"):
        assert told[name][f"{name.upper()}_STOP_WITH_PARENT"] == "true"


def test_other_peers_take_the_place_of_the_embedded_ones(folder: Path) -> None:
    options = StackOptions(bootstrap_servers="kafka:9092")
    names = [spec.name for spec in stack_specs(StackFolder(folder), options)]
    assert names == ["postgres", "ledger", "transcriber", "exporter", "ingest"]
