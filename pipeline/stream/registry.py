"""A schema registry by its Confluent API: the only door to confluent_kafka's client for it. Its errors become ours here.

Any registry that speaks it: Confluent's, Apicurio's (`/apis/ccompat/v7`), Karapace's, Redpanda's.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final, TypeVar

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from pipeline.errors import Fatal, RazgovorError, Unavailable
from pipeline.stream.connection import RegistryConnection
from pipeline.stream.wire import Wire

_TIMEOUT_S: Final = 4
_REFUSALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
#: It answers, and will answer the same for ever: an incompatible schema, one that does not parse.
_REJECTIONS: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST})
_RULE: Final = "FULL_TRANSITIVE"

AnswerT = TypeVar("AnswerT")


class ConfluentRegistry:
    """See `schema_registry.SchemaRegistrar`. Only `register` writes, so a service needs no more than the right to read."""

    def __init__(self, connection: RegistryConnection) -> None:
        """Connects at the first question.

        Raises:
            Fatal: The authority's file cannot be read.
        """
        settings: dict[str, object] = {
            "url": connection.url,
            "timeout": _TIMEOUT_S,
            "max.retries": 0,  # whoever waits here already waits with a backoff of his own
        }
        if connection.ca_file is not None:
            settings["ssl.ca.location"] = str(connection.ca_file)
        if connection.username is not None and connection.password is not None:
            settings["basic.auth.user.info"] = f"{connection.username}:{connection.password.get_secret_value()}"
        try:
            self._client = SchemaRegistryClient(settings)
        except OSError as error:  # ssl.SSLError is one too
            raise Fatal("schema_registry_ca_file cannot be read, or holds no certificate") from error

    def id_of(self, subject: str, text: str) -> int | None:
        """See `SchemaRegistry.id_of`."""
        found = _asked(lambda: self._client.lookup_schema(subject, RegistrySchema(text, "AVRO")))
        return None if found is None else found.schema_id

    def text_of(self, schema_id: int) -> str | None:
        """See `SchemaRegistry.text_of`."""
        found = _asked(lambda: self._client.get_schema(schema_id))
        return None if found is None else found.schema_str

    def texts_of(self, subject: str) -> list[str]:
        """See `SchemaRegistry.texts_of`."""
        versions = _asked(lambda: self._client.get_versions(subject)) or []
        found = (self._version(subject, version) for version in sorted(versions, reverse=True))
        return [text for text in found if text is not None]

    def _version(self, subject: str, version: int) -> str | None:
        found = _asked(lambda: self._client.get_version(subject, version))
        return None if found is None else found.schema.schema_str

    def register(self, subject: str, text: str) -> int:
        """See `SchemaRegistrar.register`."""
        self._guard(subject)  # first, so that it holds for this schema too
        schema_id = _asked(lambda: self._client.register_schema(subject, RegistrySchema(text, "AVRO")))
        if schema_id is None:
            raise Fatal(f"the schema registry took nothing under {subject}")
        self._guard(subject)  # again, for registries that know no rule of a subject without schemas
        return schema_id

    def _guard(self, subject: str) -> None:
        if not self.guarded(subject):
            _asked(lambda: self._client.set_compatibility(subject, _RULE))

    def guarded(self, subject: str) -> bool:
        """See `SchemaRegistrar.guarded`."""
        return _asked(lambda: self._client.get_compatibility(subject)) == _RULE

    def close(self) -> None:
        """See `SchemaRegistry.close`."""
        self._client.close()


def _asked(question: Callable[[], AnswerT]) -> AnswerT | None:
    """The answer; None where what was asked for is not there."""
    try:
        return question()
    except SchemaRegistryError as error:
        if error.http_status_code == HTTPStatus.NOT_FOUND:
            return None
        raise _ours(error) from error
    except Exception as error:  # the transport is httpx or httpx2, whichever is there
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
            raise Fatal("the schema registry's certificate cannot be verified") from error
        raise Unavailable(f"schema registry: {type(error).__name__}") from error


def _ours(error: SchemaRegistryError) -> RazgovorError:
    if error.http_status_code in _REFUSALS:
        return Fatal(f"the schema registry refuses us: HTTP {error.http_status_code}")
    if error.http_status_code in _REJECTIONS:
        return Fatal(f"the schema registry rejects a schema: {error.error_code}")
    return Unavailable(f"schema registry: HTTP {error.http_status_code}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def wire_at(connection: RegistryConnection | None) -> Wire:
    """The wire that the settings ask for: Confluent framing with a registry, single-object encoding without.

    Raises:
        Fatal: See `ConfluentRegistry`.
    """
    return Wire(None if connection is None else ConfluentRegistry(connection))
