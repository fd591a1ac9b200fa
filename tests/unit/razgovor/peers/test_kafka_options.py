from __future__ import annotations

from pathlib import Path

from razgovor.peers.certificates import Certificates
from razgovor.peers.kafka_options import KafkaOptions, server_properties


def properties(options: KafkaOptions) -> dict[str, str]:
    ports = {name: 20_000 + number for number, name in enumerate(options.listeners)}
    return server_properties(options, ports, Path("/data"))


def test_a_plain_broker_listens_on_loopback_only_and_makes_no_topic_by_itself() -> None:
    found = properties(KafkaOptions())
    assert found["listeners"] == "PLAIN://127.0.0.1:20000,CONTROLLER://127.0.0.1:20001"
    assert found["advertised.listeners"] == "PLAIN://127.0.0.1:20000"
    assert found["auto.create.topics.enable"] == "false"
    assert "authorizer.class.name" not in found


def test_users_bring_a_listener_and_an_authorizer_that_allows_nothing_by_itself() -> None:
    found = properties(KafkaOptions(users={"admin": "a", "ingest": "b"}))
    assert "SASL:SASL_PLAINTEXT" in found["listener.security.protocol.map"]
    assert found["authorizer.class.name"].endswith("StandardAuthorizer")
    assert found["super.users"] == "User:admin;User:ANONYMOUS"
    assert "allow.everyone.if.no.acl.found" not in found


def test_with_certificates_passwords_travel_encrypted(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    options = KafkaOptions(users={"admin": "a"}, certificates=certificates, client_certificates=True)
    found = properties(options)
    assert "SASL:SASL_SSL" in found["listener.security.protocol.map"]
    assert found["listener.name.tls.ssl.client.auth"] == "required"
    assert found["ssl.keystore.location"] == str(certificates.server_bundle)


def test_behind_a_proxy_clients_are_told_to_come_back_to_the_proxy() -> None:
    found = properties(KafkaOptions(proxied_port=31_000))
    assert "PROXIED://127.0.0.1:20002" in found["listeners"]
    assert found["advertised.listeners"].split(",")[1] == "PROXIED://127.0.0.1:31000"


def test_further_properties_win() -> None:
    assert properties(KafkaOptions(properties={"num.io.threads": "1"}))["num.io.threads"] == "1"


def test_passwords_stay_out_of_what_is_printed() -> None:
    assert "s3cret" not in repr(KafkaOptions(users={"admin": "s3cret"}))
