from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from pipeline.errors import Fatal, Permanent, RazgovorError, Transient
from pipeline.stream.kafka.client import Watch, ours

DISCONNECTED = "sasl://b:1/1: SASL SCRAM-SHA-512 mechanism handshake failed: Local: Broker transport failure: (n/a)"
WRONG_PASSWORD = "sasl://b:1/1: SASL authentication error: Authentication failed due to invalid credentials"
OUR_CERTIFICATE = (
    "ssl://b:1/1: Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: alert number 42"
)


@pytest.mark.parametrize(
    ("code", "text", "kind", "said"),
    [
        (KafkaError._AUTHENTICATION, WRONG_PASSWORD, Fatal, "_AUTHENTICATION"),
        (KafkaError._AUTHENTICATION, DISCONNECTED, Transient, "_AUTHENTICATION"),
        (KafkaError._SSL, "SSL handshake failed: certificate verify failed", Fatal, "_SSL"),
        (KafkaError._TRANSPORT, OUR_CERTIFICATE, Fatal, "_SSL, our certificate"),
        (KafkaError._TRANSPORT, "Connect to ipv4#127.0.0.1:1 failed: Connection refused", Transient, "_TRANSPORT"),
        (KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down", Transient, "_ALL_BROKERS_DOWN"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "", Fatal, "TOPIC_AUTHORIZATION_FAILED"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "", Fatal, "GROUP_AUTHORIZATION_FAILED"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "", Permanent, "record_too_large"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, "", Transient, "UNKNOWN_TOPIC_OR_PART"),
    ],
)
def test_every_error_has_a_kind_and_is_named_without_its_text(
    code: int, text: str, kind: type[RazgovorError], said: str
) -> None:
    error = KafkaError(code, text)
    assert type(ours(error)) is kind
    assert said in str(ours(error))
    assert "b:1" not in str(ours(error))
    watch = Watch()
    watch(error)
    assert (watch.refusal is not None) == (kind is Fatal)


def test_a_client_that_cannot_go_on_is_fatal() -> None:
    error = KafkaError(KafkaError._INCONSISTENT, "x", fatal=True)
    assert isinstance(ours(error), Fatal)
