"""The fields of a submission, as a caller sends them: texts, checked and turned into values. Pure.

`web.submit` gathers them out of a form or a query; `handler` resolves them against the client's defaults.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from pipeline.audio import Headerless
from services.ingest.clients import AUTO, FORMATS, ROLES
from services.ingest.problems import INVALID_FIELD, Problem
from services.ingest.texts import storable

MAX_METADATA_BYTES: Final = 16_384
MAX_CHANNELS: Final = 2
_HEADERLESS: Final = ("codec", "sample_rate_hz", "channel_count")
_ISO_8601: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)

_METADATA: Final = TypeAdapter(
    Annotated[
        dict[
            Annotated[str, StringConstraints(min_length=1, max_length=64)],
            Annotated[str, StringConstraints(max_length=1024)],
        ],
        Field(max_length=64),
    ]
)


def _iso_8601(text: str) -> str:
    # pydantic would also take seconds since 1970, which have no zone to see.
    if not _ISO_8601.fullmatch(text):
        raise ValueError("must be ISO 8601 with a zone, e.g. 2026-01-31T14:05:00+03:00")
    return text


#: A time as people and programs write it: where it stands, a number is no time, whatever pydantic thinks.
Moment = Annotated[AwareDatetime, BeforeValidator(_iso_8601)]


def _in_range(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("must lie between 1970 and 2200")
    return moment


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _distinct(items: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(items)) != len(items):
        raise ValueError("must not name anything twice")
    return items


def _metadata(text: str) -> dict[str, str]:
    if len(text.encode()) > MAX_METADATA_BYTES:
        raise ValueError(f"must be at most {MAX_METADATA_BYTES} bytes")
    try:
        parsed = _METADATA.validate_json(text, strict=True)
    except ValidationError:
        raise ValueError(
            "must be a JSON object of texts: at most 64 names of 1 to 64 characters, texts of at most 1024"
        ) from None
    return {storable(name): storable(value) for name, value in parsed.items()}


def _choice(allowed: tuple[str, ...], items: tuple[str, ...]) -> tuple[str, ...]:
    if not set(items) <= set(allowed):
        raise ValueError(f"must be out of {', '.join(allowed)}")
    return items


ShortText = Annotated[str, AfterValidator(storable), StringConstraints(max_length=200)]


class CallFields(BaseModel):
    """What a caller may say about a call. Every field is a text on the way in; none is required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,128}\z")] | None = Field(
        default=None, description="Your own id of the call: opaque, never a name or a number. Default: the job's id."
    )
    started_at: Annotated[Moment, AfterValidator(_in_range)] | None = Field(
        default=None, description="When the call began, ISO 8601 with its zone."
    )
    direction: Literal["inbound", "outbound"] | None = Field(default=None, description="inbound or outbound.")
    operator: ShortText | None = Field(default=None, description="Who of yours spoke.")
    customer_number: Annotated[ShortText, StringConstraints(max_length=64)] | None = Field(
        default=None, description="The other side's number."
    )
    queue: ShortText | None = Field(default=None, description="The queue that the call came through.")
    metadata: Annotated[dict[str, str], BeforeValidator(_metadata)] = Field(
        default_factory=dict, description="A JSON object of texts, given back as it is and shown in the exports."
    )
    channels: (
        Annotated[
            tuple[str, ...],
            BeforeValidator(_listed),
            AfterValidator(_distinct),
            AfterValidator(lambda items: _choice(ROLES, items)),
        ]
        | None
    ) = Field(default=None, description="Who speaks on each channel, e.g. operator,customer. Default: your rule.")
    language: str | None = Field(
        default=None, description="What is spoken; auto: told by ear, among those of your account. Default: yours."
    )
    locale: Literal["ru", "en"] | None = Field(default=None, description="Language of the exports. Default: yours.")
    formats: (
        Annotated[
            tuple[str, ...],
            BeforeValidator(_listed),
            AfterValidator(_distinct),
            AfterValidator(lambda items: _choice(FORMATS, items)),
        ]
        | None
    ) = Field(default=None, description="Exports wanted: txt,vtt,srt,xlsx. Default: yours.")
    priority: Literal["interactive", "normal", "bulk"] = Field(default="normal", description="How urgent it is.")
    codec: Literal["alaw", "ulaw"] | None = Field(
        default=None,
        description="Only of a recording without a header, G.711 samples and nothing else: alaw or ulaw. In a form before the file.",
    )
    sample_rate_hz: Annotated[int, Field(ge=4000, le=48_000)] | None = Field(
        default=None, description="With codec: samples a second of each channel, e.g. 8000."
    )
    channel_count: Annotated[int, Field(ge=1, le=32)] | None = Field(
        default=None, description="With codec: how many channels take turns, sample by sample."
    )

    @property
    def headerless(self) -> Headerless | None:
        """What is said of a recording without a header; None for all others."""
        if self.codec is None or self.sample_rate_hz is None or self.channel_count is None:
            return None
        return Headerless(self.codec, self.sample_rate_hz, self.channel_count)

    def fingerprint(self, audio_sha256: str) -> bytes:
        """SHA-256 of the whole request, by which a repeated idempotency key is the same request or another one."""
        # Younger fields count once they are given: a key that an earlier release saw must stay the same.
        unsaid = {name for name in _HEADERLESS if getattr(self, name) is None}
        said = json.dumps(self.model_dump(mode="json", exclude=unsaid), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(f"{audio_sha256}\n{said}".encode()).digest()


def parse_fields(texts: Mapping[str, str], languages: Collection[str]) -> CallFields:
    """Check a caller's fields; empty ones count as not given.

    Args:
        texts: Names and values as they came.
        languages: Codes that this installation transcribes; besides them `auto` is taken.

    Raises:
        Problem: `invalid_field`, naming the first field at fault, never what it held.
    """
    given: dict[str, Any] = {name: text for name, text in texts.items() if text}
    try:
        fields = CallFields.model_validate(given)
    except ValidationError as error:
        raise _refusal(error) from None
    taken = {*languages, AUTO}
    if fields.language is not None and fields.language not in taken:
        raise Problem(INVALID_FIELD, f"must be one of {', '.join(sorted(taken))}", field="language")
    _refuse_half_a_declaration(fields)
    return fields


def _refuse_half_a_declaration(fields: CallFields) -> None:
    """A recording without a header is described whole or not at all; nothing of it is guessed."""
    given = {name for name in _HEADERLESS if getattr(fields, name) is not None}
    for name in _HEADERLESS:
        if given and name not in given:
            raise Problem(INVALID_FIELD, f"must come with {', '.join(sorted(given))}", field=name)


def _refusal(error: ValidationError) -> Problem:
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    name = storable(str(fault["loc"][0]))[:64]
    if fault["type"] == "extra_forbidden":
        return Problem(
            INVALID_FIELD, f"there is no such field; known: {', '.join(CallFields.model_fields)}", field=name
        )
    return Problem(INVALID_FIELD, fault["msg"].removeprefix("Value error, "), field=name)
