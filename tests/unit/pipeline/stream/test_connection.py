from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from pipeline import service
from pipeline.stream.connection import KafkaConnection, RegistryConnection
from pipeline.stream.settings import KafkaSettings

SECRET = SecretStr("s3cret")


class Settings(KafkaSettings):
    model_config = SettingsConfigDict(env_prefix="TEST_", frozen=True, extra="ignore")


def test_addresses_alone_are_a_plaintext_connection() -> None:
    connection = KafkaConnection(bootstrap_servers="kafka:9092")
    assert (connection.sasl, connection.tls, connection.group_protocol) == (False, False, "classic")


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"bootstrap_servers": " "}, "bootstrap_servers"),
        ({"security_protocol": "SASL_SSL"}, "kafka_username and kafka_password"),
        ({"security_protocol": "SASL_SSL", "username": "ingest"}, "kafka_password"),
        ({"username": "ingest", "password": SECRET}, "kafka_security_protocol"),
        ({"security_protocol": "SSL", "username": "ingest", "password": SECRET}, "kafka_security_protocol"),
        ({"ca_file": Path("/ca.pem")}, "kafka_security_protocol"),
        ({"security_protocol": "SSL", "key_file": Path("/key.pem")}, "kafka_certificate_file"),
    ],
)
def test_parts_that_contradict_each_other_are_named_without_their_values(parts: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        KafkaConnection(**{"bootstrap_servers": "kafka:9092", **parts})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "parts", [{"url": "registry:8081"}, {"url": "http://registry", "username": "razgovor"}, {"url": ""}]
)
def test_a_registry_needs_an_address_and_a_whole_login(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="schema_registry"):
        RegistryConnection(**parts)


def test_no_password_is_shown() -> None:
    kafka = KafkaConnection(
        bootstrap_servers="kafka:9092", security_protocol="SASL_SSL", username="ingest", password=SECRET
    )
    assert "s3cret" not in repr(kafka)
    assert "s3cret" not in repr(RegistryConnection(url="http://registry", username="r", password=SECRET))


def test_the_environment_says_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "BOOTSTRAP_SERVERS": "a:1,b:2",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
        "KAFKA_USERNAME": "ingest",
        "KAFKA_PASSWORD": "s3cret",
        "KAFKA_CA_FILE": "/ca.pem",
        "KAFKA_CERTIFICATE_FILE": "",
        "KAFKA_KEY_FILE": "",
        "KAFKA_GROUP_PROTOCOL": "consumer",
        "SCHEMA_REGISTRY_URL": "https://registry",
        "SCHEMA_REGISTRY_USERNAME": "razgovor",
        "SCHEMA_REGISTRY_PASSWORD": "s3cret",
    }
    for name, value in said.items():
        monkeypatch.setenv(f"TEST_{name}", value)
    settings = service.load(Settings)
    assert settings.kafka == KafkaConnection(
        bootstrap_servers="a:1,b:2",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-256",
        username="ingest",
        password=SECRET,
        ca_file=Path("/ca.pem"),
        group_protocol="consumer",
    )
    assert settings.registry == RegistryConnection(url="https://registry", username="razgovor", password=SECRET)


def test_without_a_registrys_address_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_BOOTSTRAP_SERVERS", "kafka:9092")
    assert service.load(Settings).registry is None


def test_a_wrong_connection_ends_the_start_and_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("TEST_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("TEST_KAFKA_USERNAME", "ingest")
    with pytest.raises(SystemExit) as ended:
        service.load(Settings)
    assert ended.value.code == service.EXIT_CONFIG
    assert "kafka_password" in capsys.readouterr().err
