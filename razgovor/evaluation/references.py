"""What was really said: one reference a recording, beside it or in a folder of its own. Read by `razgovor eval`.

A recording `day/call.wav` has its reference in `day/call.json` or `day/call.txt`. A text file holds the words of the whole
call, whoever says them. JSON holds one of these, from little to much:

    {"text": "all that was said"}
    {"channels": ["what channel 0 said", "what channel 1 said"]}
    {"turns": [{"channel": 0, "start": 0.8, "end": 6.95, "text": "...", "role": "operator"}, ...]}

Times are seconds; without them there are words and sides to compare, but no starts of turns and no silence. A recording
where nobody speaks has an empty text. A folder may also hold one JSON list, each of its entries such an object with a `file`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from razgovor.evaluation.errors import ReferenceInvalid
from razgovor.transcription.recordings import Recording

#: A day of speech is far below this.
MAX_BYTES: Final = 16 << 20
_KINDS: Final = (".json", ".txt")
_Second = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class SaidTurn(BaseModel):
    """What one side said without a break. Channel None: nobody noted which."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    channel: Annotated[int, Field(ge=0, lt=64)] | None = None
    start: _Second | None = None
    end: _Second | None = None
    text: str


class Reference(BaseModel):
    """All that was said in a recording."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    turns: tuple[SaidTurn, ...]

    @model_validator(mode="before")
    @classmethod
    def _shorter_forms(cls, value: Any) -> Any:
        """`text` and `channels` as turns."""
        if not isinstance(value, dict) or "turns" in value:
            return value
        if isinstance(channels := value.get("channels"), list):
            return {"turns": [{"channel": index, "text": text} for index, text in enumerate(channels)]}
        text = value.get("text", value.get("reference"))
        return value if text is None else {"turns": [{"text": text}] if text else []}

    @property
    def timed(self) -> bool:
        """Whether it is known when somebody speaks; nobody speaking is known too."""
        return all(turn.start is not None and turn.end is not None for turn in self.turns)

    @property
    def sided(self) -> bool:
        """Whether it is known which channel each word belongs to."""
        return all(turn.channel is not None for turn in self.turns)

    @property
    def in_order(self) -> tuple[SaidTurn, ...]:
        """Its turns as they were said."""
        return tuple(sorted(self.turns, key=lambda turn: turn.start or 0.0)) if self.timed else self.turns


class _Listed(BaseModel):
    model_config = ConfigDict(extra="allow")

    file: str = Field(validation_alias=AliasChoices("file", "filename"))


#: Nobody speaks.
SILENCE: Final = Reference(turns=())


def find(recordings: Sequence[Recording], folder: Path | None) -> dict[str, Reference]:
    """The references of recordings, by name of the recording; those without one are left out.

    Args:
        recordings: What is to be evaluated.
        folder: Where references lie, under the recordings' own names; None: beside them.

    Raises:
        ReferenceInvalid: One cannot be read.
    """
    found: dict[str, Reference] = {}
    listed: dict[Path, dict[str, Reference]] = {}
    for recording in recordings:
        place = recording.path.parent if folder is None else folder
        for candidate in _candidates(recording, folder):
            if candidate.is_file():
                found[recording.name] = read(candidate)
                break
        else:
            entries = listed.setdefault(place, dict(_lists_in(place)))
            reference = entries.get(recording.name, entries.get(recording.path.name))
            if reference is not None:
                found[recording.name] = reference
    return found


def _candidates(recording: Recording, folder: Path | None) -> Iterator[Path]:
    if folder is None:
        yield from (recording.path.with_suffix(kind) for kind in _KINDS)
        return
    inside = PurePosixPath(recording.name)
    names = dict.fromkeys((inside, PurePosixPath(inside.name)))
    yield from (folder / name.with_suffix(kind) for name in names for kind in _KINDS)


def read(path: Path) -> Reference:
    """One recording's reference.

    Raises:
        ReferenceInvalid: It is none.
    """
    text = _text(path)
    if path.suffix.lower() == ".txt":
        return Reference.model_validate({"text": text})
    return _validated(path, _json(path, text))


def _lists_in(folder: Path) -> Iterator[tuple[str, Reference]]:
    """Entries of the folder's JSON lists, by the file that they name."""
    for path in sorted(folder.glob("*.json")):
        entries = _json(path, _text(path))
        if isinstance(entries, list):
            for entry in entries:
                try:
                    name = _Listed.model_validate(entry).file
                except ValidationError as error:
                    raise ReferenceInvalid(path, "an entry names no file") from error
                yield name, _validated(path, entry)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ReferenceInvalid(path, f"more than {MAX_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReferenceInvalid(path, "not UTF-8") from error
    except OSError as error:
        raise ReferenceInvalid(path, "cannot be read") from error


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReferenceInvalid(path, "not JSON") from error


def _validated(path: Path, value: Any) -> Reference:
    try:
        return Reference.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"]) or "the whole"
        raise ReferenceInvalid(path, f"not a reference (see {where})") from error
