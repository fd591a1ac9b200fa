"""What all clients of librdkafka share: settings, its errors as ours, and the watch over what it says only to `error_cb`.

librdkafka reports refused credentials and certificates to `error_cb` alone and goes on trying for ever: a list of topics
would just time out, a consumer would just get nothing. So every client keeps a `Watch` and asks it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException

from pipeline.errors import Fatal, Permanent, RazgovorError, Transient
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.ports import RECORD_TOO_LARGE, TopicPartition

ANSWER_TIMEOUT_S: Final = 5.0
_ASK_S: Final = 0.5
_REFUSALS: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001  librdkafka's own codes begin so
        KafkaError._SSL,  # noqa: SLF001  a handshake that was cut off is _TRANSPORT, so this is the certificate
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001  KIP-848 where the brokers do not have it
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SECURITY_DISABLED,
    }
)
#: With TLS 1.3 a broker refuses our certificate after the handshake, which then looks like a connection that broke.
_CERTIFICATE_ALERT: Final = re.compile(r"SSL routines.* alert .*(certificate|unknown ca|access denied)")

ClientT = TypeVar("ClientT")


def ours(error: KafkaError) -> RazgovorError:
    """Their error as ours, named by its code: its text holds addresses."""
    if error.code() in _REFUSALS and not _is_broken_login(error):
        return Fatal(f"kafka refuses us: {error.name()}")
    if error.code() == KafkaError._TRANSPORT and _CERTIFICATE_ALERT.search(error.str()):  # noqa: SLF001  see above
        return Fatal("kafka refuses us: _SSL, our certificate")
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return Permanent(RECORD_TOO_LARGE)
    if error.fatal():
        return Fatal(f"kafka: this client cannot go on: {error.name()}")
    return Transient(f"kafka: {error.name()}")


def _is_broken_login(error: KafkaError) -> bool:
    """Whether a broker went away while we logged in: that too is _AUTHENTICATION, with an error of librdkafka's own."""
    return error.code() == KafkaError._AUTHENTICATION and "failed: Local: " in error.str()  # noqa: SLF001  see above


class Watch:
    """Keeps what `error_cb` says until somebody can raise it."""

    def __init__(self) -> None:
        self.refusal: Fatal | None = None

    def __call__(self, error: KafkaError) -> None:
        """Hear an error; what is no refusal passes by itself."""
        found = ours(error)
        if isinstance(found, Fatal):
            self.refusal = found

    def check(self) -> None:
        """Raise the refusal, if there was one."""
        if self.refusal is not None:
            raise self.refusal


def base(connection: KafkaConnection, watch: Watch) -> dict[str, Any]:
    """The settings of every client.

    Raises:
        Fatal: A file that the connection names cannot be read.
    """
    return {
        "bootstrap.servers": connection.bootstrap_servers,
        "client.id": "razgovor",
        "error_cb": watch,
        # librdkafka's own lines go where ours go, and a broker that is away is no reason for twenty of them a second.
        "logger": logging.getLogger("librdkafka"),
        "reconnect.backoff.ms": 250,
        "reconnect.backoff.max.ms": 2000,
        # Topics are made by `razgovor topics apply`, never by a client that happens to name one.
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": 10_000,
        **_security(connection),
    }


def _security(connection: KafkaConnection) -> dict[str, str]:
    found: dict[str, str] = {"security.protocol": connection.security_protocol}
    if connection.username is not None and connection.password is not None:
        found |= {
            "sasl.mechanism": connection.sasl_mechanism,
            "sasl.username": connection.username,
            "sasl.password": connection.password.get_secret_value(),
        }
    files = {
        "ssl.ca.location": ("kafka_ca_file", connection.ca_file),
        "ssl.certificate.location": ("kafka_certificate_file", connection.certificate_file),
        "ssl.key.location": ("kafka_key_file", connection.key_file),
    }
    return found | {theirs: _readable(name, path) for theirs, (name, path) in files.items() if path is not None}


def _readable(name: str, path: Path) -> str:
    try:
        with path.open("rb"):
            return str(path)
    except OSError as error:
        raise Fatal(f"{name} cannot be read") from error


def made(make: Callable[[], ClientT]) -> ClientT:
    """A client.

    Raises:
        Fatal: librdkafka does not take its settings, such as a file that holds no certificate.
    """
    try:
        return make()
    except KafkaException as error:
        raise Fatal(f"kafka: the settings cannot be used: {error.args[0].name()}") from error


class Asked(Protocol):
    """A client that knows the cluster."""

    def list_topics(self, *, timeout: float) -> Any:
        """The cluster's metadata."""

    def poll(self, timeout: float, /) -> object:
        """Serve callbacks."""


def answer(client: Asked, watch: Watch) -> Any:
    """The cluster's metadata.

    Raises:
        Transient: No answer for 5 s.
        Fatal: The brokers refuse us.
    """
    give_up_s = time.monotonic() + ANSWER_TIMEOUT_S
    while True:
        watch.check()
        try:
            return client.list_topics(timeout=_ASK_S)
        except KafkaException as error:
            failure = ours(error.args[0])
        serve(client, watch)
        if isinstance(failure, Fatal) or time.monotonic() >= give_up_s:
            raise failure


def serve(client: Asked, watch: Watch) -> None:
    """Let the client say what it has kept for `error_cb`, and raise it if it is a refusal."""
    try:
        client.poll(0.0)
    except KafkaException as error:
        raise ours(error.args[0]) from error
    watch.check()


def known(number: int | None) -> int:
    """A number that only messages with an error lack."""
    if number is None:
        raise Transient("kafka: a record without its place")
    return number


def ported(partitions: Sequence[ck.TopicPartition]) -> list[TopicPartition]:
    """Their partitions as ours."""
    return [TopicPartition(str(log.topic), log.partition) for log in partitions]


def theirs(partitions: Sequence[TopicPartition]) -> list[ck.TopicPartition]:
    """Our partitions as theirs."""
    return [ck.TopicPartition(log.topic, log.partition) for log in partitions]
