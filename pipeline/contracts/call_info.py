"""call.json: what names people about a call. It lies in the store, never in an event or a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import AwareDatetime, Field

from pipeline.contracts.events import Value

#: The name in `metadata` under which the parts of one transferred call share a value.
CHAIN_ID: Final = "chain_id"


def chain_of(metadata: Mapping[str, str]) -> str | None:
    """What the parts of a transferred call have in common; None: nothing was said."""
    return metadata.get(CHAIN_ID) or None


class CallInfo(Value):
    """As the client gave it. Everything may be missing; nothing is ever guessed.

    Attributes:
        file_name: The recording's name as the sender called it: data, never a path.
        started_at: When the call began, with its zone.
        direction: `inbound` or `outbound`.
        metadata: The client's own fields, echoed.
    """

    file_name: str | None = None
    started_at: AwareDatetime | None = None
    direction: str | None = None
    operator: str | None = None
    customer_number: str | None = None
    queue: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """UTF-8 JSON; the same values give the same bytes."""
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> CallInfo:
        """Read what `to_bytes` wrote."""
        return cls.model_validate_json(data)
