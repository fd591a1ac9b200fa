"""What the embedded parts raise; `razgovor.stack` and the commands show the text to whoever started them."""

from __future__ import annotations

from pipeline.errors import RazgovorError


class EmbeddedFailed(RazgovorError):
    """An embedded part cannot run here; the text says why and what to do."""


class HomeBusy(EmbeddedFailed):
    """Somebody else works in this folder; nothing in it was touched."""


class ProcessFailed(EmbeddedFailed):
    """A process of ours ended before it was ready, or was not ready in time.

    Attributes:
        name: Which process.
        tail: The last lines of its log.
    """

    def __init__(self, name: str, why: str, tail: str) -> None:
        super().__init__(f"{name}: {why}\n{tail}".rstrip())
        self.name = name
        self.tail = tail
