"""What the wire needs of a schema registry, and the fake that one test suite runs over beside the real one (`registry`)."""

from __future__ import annotations

from typing import Final, Protocol

from pipeline.errors import Unavailable

_SUFFIX: Final = "-value"


def subject_of(topic: str) -> str:
    """Under which name the registry keeps the schemas of a topic's values."""
    return topic + _SUFFIX


class SchemaRegistry(Protocol):
    """Looks schemas up; never registers one. Used by many threads."""

    def id_of(self, subject: str, text: str) -> int | None:
        """The id of a schema under a subject; None: it is not registered there.

        Raises:
            Unavailable: No answer.
            Fatal: The registry refuses us.
        """

    def text_of(self, schema_id: int) -> str | None:
        """The schema with this id; None: there is none.

        Raises:
            Unavailable: No answer.
            Fatal: The registry refuses us.
        """

    def texts_of(self, subject: str) -> list[str]:
        """All versions of a subject, newest first; none if there is no such subject.

        Raises:
            Unavailable: No answer.
            Fatal: The registry refuses us.
        """

    def close(self) -> None:
        """Let go."""


class SchemaRegistrar(SchemaRegistry, Protocol):
    """Registers schemas, for whoever keeps the topics. Every subject admits only what is compatible with all its versions."""

    def register(self, subject: str, text: str) -> int:
        """Register a schema, or find it; the subject's rule is FULL_TRANSITIVE afterwards.

        Raises:
            Unavailable: No answer.
            Fatal: The registry refuses us, or the schema.
        """

    def guarded(self, subject: str) -> bool:
        """Whether the subject's rule is FULL_TRANSITIVE.

        Raises:
            Unavailable: No answer.
            Fatal: The registry refuses us.
        """


class MemoryRegistry:
    """A registry of one process: the shipped fake. `down` makes every call end in Unavailable."""

    def __init__(self, first_id: int = 1) -> None:
        """Another `first_id` is another registry: the same schemas under other ids."""
        self.down = False
        self.calls = 0
        self._next_id = first_id
        self._texts: dict[int, str] = {}
        self._subjects: dict[str, list[int]] = {}

    def _called(self) -> None:
        self.calls += 1
        if self.down:
            raise Unavailable("memory registry is down")

    def id_of(self, subject: str, text: str) -> int | None:
        """See `SchemaRegistry.id_of`."""
        self._called()
        return next((one for one in self._subjects.get(subject, []) if self._texts[one] == text), None)

    def text_of(self, schema_id: int) -> str | None:
        """See `SchemaRegistry.text_of`."""
        self._called()
        return self._texts.get(schema_id)

    def texts_of(self, subject: str) -> list[str]:
        """See `SchemaRegistry.texts_of`."""
        self._called()
        return [self._texts[one] for one in reversed(self._subjects.get(subject, []))]

    def register(self, subject: str, text: str) -> int:
        """See `SchemaRegistrar.register`. The fake does not check compatibility."""
        found = self.id_of(subject, text)
        if found is None:
            found, self._next_id = self._next_id, self._next_id + 1
            self._texts[found] = text
            self._subjects.setdefault(subject, []).append(found)
        return found

    def guarded(self, subject: str) -> bool:
        """See `SchemaRegistrar.guarded`."""
        self._called()
        return subject in self._subjects

    def close(self) -> None:
        """See `SchemaRegistry.close`."""
