"""A client's glossary, schema `razgovor.glossary/1`, and the check that allows it for a model and how it hears. Kept in the store.

Names and tariffs that an engine should expect. Written by `razgovor glossary`, read by the transcriber. A glossary never
changes: its id holds its hash, so another list of terms is another glossary.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from pipeline.contracts.events import Value

MAX_TERMS: Final = 100
#: What an engine can be told beforehand is short: some 200 tokens, of two or three letters each.
MAX_LETTERS: Final = 450
_HASH_DIGITS: Final = 12
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}@[0-9a-f]{12}")

_Term = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f<>|]+\z")
]


def _short(terms: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(terms)) != len(terms):
        raise ValueError("a term stands there twice")
    if sum(map(len, terms)) > MAX_LETTERS:
        raise ValueError(f"all terms together have at most {MAX_LETTERS} letters")
    return terms


def is_glossary_id(text: str) -> bool:
    """Whether a text has the form of an id; it becomes part of keys."""
    return _ID.fullmatch(text) is not None


class Glossary(Value):
    """Terms that an engine is told before it hears a client's calls, in the order of their importance, the last foremost."""

    schema_: Literal["razgovor.glossary/1"] = Field(default="razgovor.glossary/1", alias="schema")
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}\z")]
    terms: Annotated[tuple[_Term, ...], Field(min_length=1, max_length=MAX_TERMS), AfterValidator(_short)]

    @property
    def glossary_id(self) -> str:
        """`name@hash`: another list of terms has another id."""
        return f"{self.name}@{hashlib.sha256(self.to_bytes()).hexdigest()[:_HASH_DIGITS]}"

    @property
    def prompt(self) -> str:
        """As an engine is told."""
        return ", ".join(self.terms) + "."

    def to_bytes(self) -> bytes:
        """UTF-8 JSON; the same glossary gives the same bytes."""
        return self.model_dump_json(by_alias=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Glossary | None:
        """Read what `to_bytes` wrote; None where it is none."""
        try:
            return cls.model_validate_json(data)
        except ValidationError:
            return None


class GlossaryCheck(Value):
    """What a glossary did to calls whose words are known, with one model.

    Attributes:
        parameters_sha256: Of the parameters that the model heard with; as in a transcript's provenance.
        words: Of the references.
        errors_without: Wrong, missed and added words when the engine is told nothing.
        errors_with: The same when it is told the glossary.
        silence_words_without: Words where nobody speaks, likewise.
        silence_words_with: The same.
        calls: How many recordings.
    """

    schema_: Literal["razgovor.glossary_check/2"] = Field(default="razgovor.glossary_check/2", alias="schema")
    glossary_id: str
    model: str
    model_sha256: str
    parameters_sha256: str
    calls: int = Field(ge=1)
    words: int
    errors_without: int
    errors_with: int
    silence_words_without: int
    silence_words_with: int

    @property
    def refusal(self) -> str | None:
        """Why the glossary may not be used with this model; None: it may."""
        if self.silence_words_with > self.silence_words_without:
            return "words_on_silence"
        return "more_errors" if self.errors_with > self.errors_without else None

    def to_bytes(self) -> bytes:
        """UTF-8 JSON."""
        return self.model_dump_json(by_alias=True).encode()
