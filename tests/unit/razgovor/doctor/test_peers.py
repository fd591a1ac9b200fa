"""What the doctor thinks of broker, database and store; peers are callables here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import Transient
from razgovor.doctor import peers, probes
from razgovor.doctor.addresses import read_addresses
from razgovor.doctor.finding import State, ok

SECRET_URL = "postgresql://ledger:geheim@db.example/razgovor"


def answers(_address: str) -> str:
    return "answers"


def fails(_address: str) -> str:
    raise Transient("no answer\nsecond line")


def never() -> str:
    raise AssertionError("the embedded one was asked")


def test_addresses_come_from_the_settings_of_the_services() -> None:
    addresses = read_addresses(
        {
            "INGEST_BOOTSTRAP_SERVERS": "a:9092",
            "LEDGER_BOOTSTRAP_SERVERS": "a:9092",
            "EXPORTER_BOOTSTRAP_SERVERS": "b:9092",
            "DATABASE_URL": SECRET_URL,
            "INGEST_STORE_URL": "file:///data",
            "RAZGOVOR_MODEL": "turbo",
        }
    )
    assert addresses.brokers == {
        "a:9092": ("INGEST_BOOTSTRAP_SERVERS", "LEDGER_BOOTSTRAP_SERVERS"),
        "b:9092": ("EXPORTER_BOOTSTRAP_SERVERS",),
    }
    assert addresses.databases == {SECRET_URL: ("DATABASE_URL",)}
    assert addresses.stores == {"file:///data": ("INGEST_STORE_URL",)}
    assert addresses.model == "turbo"


def test_without_settings_nothing_is_named_and_the_model_is_base() -> None:
    addresses = read_addresses({})
    assert (addresses.brokers, addresses.databases, addresses.stores, addresses.model) == ({}, {}, {}, "base")


def test_without_a_broker_the_mock_is_asked() -> None:
    (finding,) = peers.check_brokers({}, fails, lambda: "librdkafka loads")
    assert finding == ok("broker", "embedded, mock for trials, one machine: librdkafka loads")


def test_every_named_broker_is_asked() -> None:
    findings = peers.check_brokers({"a:9092": ("A",), "b:9092": ("B", "C")}, answers, never)
    assert findings == (ok("broker", "A: answers"), ok("broker", "B, C: answers"))


def test_a_database_that_does_not_answer_is_missing_and_its_password_stays_secret() -> None:
    (finding,) = peers.check_databases({SECRET_URL: ("DATABASE_URL",)}, fails, never)
    assert finding.state is State.MISSING
    assert finding.found == "DATABASE_URL: no answer"
    assert finding.advice
    assert "geheim" not in f"{finding}"


def test_without_a_database_the_embedded_one_is_tried() -> None:
    def broken() -> str:
        raise OSError("no such program")

    (finding,) = peers.check_databases({}, fails, broken)
    assert finding.state is State.MISSING
    assert "DATABASE_URL" in finding.advice


def test_a_store_that_is_there_takes_a_test_write(tmp_path: Path) -> None:
    (finding,) = peers.check_stores({f"file://{tmp_path}": ("S",)}, tmp_path, probes.ask_store, probes.ask_folder)
    assert finding == ok("store", f"S: {tmp_path} takes a test write")


def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    (finding,) = peers.check_stores({f"file://{folder}": ("S",)}, tmp_path, fails, probes.ask_folder)
    assert finding == ok("store", f"S: {folder} is not there yet; {tmp_path} can be written")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_the_one_machine_stack_is_left_as_it_was(tmp_path: Path) -> None:
    (finding,) = peers.check_stores({}, tmp_path, fails, probes.ask_folder)
    assert finding.state is State.OK
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_nothing_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (finding,) = peers.check_stores({}, tmp_path / "file" / "below", fails, probes.ask_folder)
    assert finding.state is State.MISSING


def test_a_store_elsewhere_is_not_judged(tmp_path: Path) -> None:
    (finding,) = peers.check_stores({"s3://key:geheim@bucket": ("S",)}, tmp_path, fails, fails)
    assert finding.state is State.WARNING
    assert "geheim" not in f"{finding}"


def test_a_database_url_becomes_the_variables_of_postgresqls_programs() -> None:
    url = "postgresql://ingest:p%40ss@db.example:6432/razgovor?sslmode=require&host=/run/pg"
    assert probes.libpq_environment(url) == {
        "PGHOST": "/run/pg",
        "PGPORT": "6432",
        "PGUSER": "ingest",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "razgovor",
        "PGSSLMODE": "require",
        "PGCONNECT_TIMEOUT": "5",
    }


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://host:port/x", "nonsense"])
def test_what_is_no_database_url_is_said_so(url: str) -> None:
    with pytest.raises(probes.PeerFailed, match="URL"):
        probes.libpq_environment(url)
