"""Patterns: what the path of a recording says about its call. Pure.

A pattern is a path with fields: `{operator}-{customer}-{time:%Y%m%d-%H%M%S}-{call_id}`. It is held against the end of a
path, so folders above it do not matter; the suffix (`.wav`) is left away. A field ends at the character that follows it in
the pattern, so a name is read in one way or not at all, and in a time that grows with its length. `*` is any text
within a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final

from services.ingest.watching.naming import without_suffix
from services.ingest.watching.readings import INBOUND, OUTBOUND, Reading

MAX_PATTERN: Final = 500
#: Words for directions, whatever the case of their letters.
DIRECTIONS: Final[Mapping[str, str]] = {
    "in": INBOUND,
    "inbound": INBOUND,
    "incoming": INBOUND,
    "out": OUTBOUND,
    "outbound": OUTBOUND,
    "outgoing": OUTBOUND,
}
FIELDS: Final = ("call_id", "direction", "operator", "customer", "queue", "line_a", "line_b", "chain_id")
META: Final = "meta."
_TIME: Final = "time"
_PIECE: Final = re.compile(r"\{(?P<field>[^{}]*)\}|(?P<any>\*)|(?P<literal>[^{}*]+)|(?P<bad>[{}])")
_META_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DIGITS: Final = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"\d\d",
    "d": r"\d\d",
    "H": r"\d\d",
    "M": r"\d\d",
    "S": r"\d\d",
    "f": r"\d{1,6}",
}
_DATE: Final = ("m", "d")
#: Years that a call may be of; others would be refused later, or lie beyond what a clock can hold.
_YEARS: Final = range(1970, 2200)
#: Behind the last piece: the end of the name.
_END: Final = ("literal", "/")


class PatternError(ValueError):
    """A pattern that cannot be understood; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, ready to read with.

    Attributes:
        text: As it was written.
        directions: What the words of `{direction}` mean; another word says nothing.
        direction: Of every call that this pattern reads, where the pattern has no such field.
    """

    text: str
    directions: Mapping[str, str]
    direction: str | None
    _regex: re.Pattern[str] = field(repr=False)
    _fields: tuple[str, ...] = field(repr=False)
    _formats: tuple[str, ...] = field(repr=False)
    _depth: int = field(repr=False)

    def read(self, path: str) -> Reading | None:
        """What a path says.

        Args:
            path: Of the recording, with slashes or backslashes between folders.

        Returns:
            None: It is not of this pattern, or names a day or an hour that does not exist.
        """
        parts = path.replace("\\", "/").split("/")[-self._depth :]
        parts[-1] = without_suffix(parts[-1])
        match = self._regex.fullmatch("/".join(parts))
        return None if match is None else self._reading(match.groups())

    def _reading(self, groups: tuple[str, ...]) -> Reading | None:
        texts = dict(zip(self._fields, groups, strict=True))
        moment = None
        if self._formats:
            given = " ".join(texts[f"{_TIME}{number}"] for number in range(len(self._formats)))
            try:
                moment = datetime.strptime(given, " ".join(self._formats))  # noqa: DTZ007  the zone is the reader's to say
            except ValueError:
                return None
            if moment.year not in _YEARS:
                return None
        lines = (texts["line_a"], texts["line_b"]) if "line_a" in texts else None
        return Reading(
            call_id=texts.get("call_id"),
            local_time=moment,
            direction=self.directions.get(texts["direction"].lower()) if "direction" in texts else self.direction,
            operator=texts.get("operator"),
            customer_number=texts.get("customer"),
            queue=texts.get("queue"),
            lines=lines,
            chain_id=texts.get("chain_id"),
            metadata={name.removeprefix(META): text for name, text in texts.items() if name.startswith(META)},
        )


@dataclass(frozen=True, slots=True)
class Patterns:
    """Several, under one name: the first that reads a path does."""

    name: str
    patterns: tuple[Pattern, ...]

    def read(self, path: str) -> Reading | None:
        """See `Pattern.read`."""
        return next((found for pattern in self.patterns if (found := pattern.read(path)) is not None), None)


def compiled(text: str, *, directions: Mapping[str, str] | None = None, direction: str | None = None) -> Pattern:
    """A pattern out of its text.

    Args:
        text: At most MAX_PATTERN characters.
        directions: Words in place of DIRECTIONS, in small letters.
        direction: Of every call that it reads.

    Raises:
        PatternError: It cannot be understood.
    """
    if not 0 < len(text) <= MAX_PATTERN:
        raise PatternError(f"a pattern has 1 to {MAX_PATTERN} characters")
    text = text.replace("\\", "/")
    pieces = list(_pieces(without_suffix(text)))
    parts, fields, formats = [], list[str](), list[str]()
    for (kind, said), following in pairwise([*pieces, _END]):
        if kind == "literal":
            parts.append(re.escape(said))
        elif said.startswith(_TIME):
            fields.append(f"{_TIME}{len(formats)}")
            formats.append(said.removeprefix(_TIME).removeprefix(":"))
            parts.append(f"({_time_regex(formats[-1])})")
        else:
            parts.append(_text_regex(kind, said, following))
            fields += [_known(said, fields)] if kind == "field" else []
    _check(fields, formats)
    return Pattern(
        text=text,
        directions=directions or DIRECTIONS,
        direction=direction,
        _regex=re.compile("".join(parts), re.IGNORECASE),
        _fields=tuple(fields),
        _formats=tuple(formats),
        _depth=text.count("/") + 1,
    )


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    for match in _PIECE.finditer(text):
        if match["bad"]:
            raise PatternError(f"a bracket stands alone at character {match.start() + 1}")
        kind = str(match.lastgroup)
        yield kind, match[kind]


def _text_regex(kind: str, said: str, following: tuple[str, str]) -> str:
    """Any text up to the character that follows; that two texts touch would leave open where one ends."""
    if following[0] != "literal":
        raise PatternError(f"put a character between {said} and what follows it")
    stop = re.escape("".join(dict.fromkeys("/" + following[1][0])))
    return f"([^{stop}]+)" if kind == "field" else f"[^{stop}]*"


def _known(said: str, fields: list[str]) -> str:
    if said.startswith(META):
        if not _META_NAME.fullmatch(said.removeprefix(META)):
            raise PatternError(f"{{{META}NAME}}: a name is a small letter, then small letters, digits and _")
    elif said not in FIELDS:
        raise PatternError(f"there is no field {{{said}}}; known: {', '.join(FIELDS)}, time:FORMAT, {META}NAME")
    if said in fields:
        raise PatternError(f"{{{said}}} stands twice")
    return said


def _time_regex(form: str) -> str:
    parts = re.split(r"(%.?)", form)
    if parts == [""]:
        raise PatternError("say how the time is written: {time:%Y%m%d-%H%M%S}")
    found = []
    for part in parts:
        if not part.startswith("%"):
            if "/" in part:
                raise PatternError("a time lies within one name; say {time:%Y%m%d}/{time:%H%M%S}")
            found.append(re.escape(part))
        elif part[1:] in _DIGITS:
            found.append(_DIGITS[part[1:]])
        else:
            raise PatternError(f"{part} is no part of a time here; known: {', '.join('%' + one for one in _DIGITS)}")
    return "".join(found)


def _check(fields: list[str], formats: list[str]) -> None:
    if not fields:
        raise PatternError("a pattern has at least one field, such as {call_id}")
    if ("line_a" in fields) != ("line_b" in fields):
        raise PatternError("{line_a} comes with {line_b}")
    said = re.findall(r"%(.)", "".join(formats))
    if len(set(said)) != len(said) or {"Y", "y"} <= set(said):
        raise PatternError("a part of the time stands twice")
    if said and not ({"Y", "y"} & set(said) and set(_DATE) <= set(said)):
        raise PatternError("a time needs its year, month and day: %Y %m %d")
