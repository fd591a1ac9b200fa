"""Multipart forms as streams: fields are gathered, files' bytes handed on as they come, nothing is spooled.

`FormReader`, called by `receive`, is for a form with one recording; `BatchReader`, called by `batch`, for one with many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from services.ingest.web.parts import PartBegan, PartEnded, Parts, bad

FILE_PART: Final = "file"
MAX_PARTS: Final = 100
MAX_FIELD_BYTES: Final = 65_536
#: Of a batch, besides one part for each file.
MAX_FIELD_PARTS: Final = 2000
#: What only one call can have: said before the first file, it goes for that file alone.
_OF_ONE_CALL: Final = frozenset({"call_id"})


class _Fields:
    """Gathers the parts that are no files."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._name = ""
        self._value = bytearray()

    def begin(self, name: str) -> None:
        if name in self.values:
            raise bad("a part stands twice")
        self._name = name
        self._value.clear()

    def add(self, data: bytes) -> None:
        self._value += data
        if len(self._value) > MAX_FIELD_BYTES:
            raise bad(f"a field may have {MAX_FIELD_BYTES} bytes")

    def end(self) -> None:
        try:
            self.values[self._name] = self._value.decode("utf-8")
        except UnicodeDecodeError:
            raise bad("fields must be UTF-8") from None


class FormReader:
    """Reads a form with one recording.

    Args:
        content_type: The request's, with its boundary.

    Raises:
        Problem: `bad_multipart`, here and in every method.
    """

    def __init__(self, content_type: str) -> None:
        self._parts = Parts(content_type, MAX_PARTS)
        self._fields = _Fields()
        self._in_file = False
        self.file_name: str | None = None
        self.has_file = False
        self.fields_before_file: dict[str, str] = {}

    @property
    def fields(self) -> dict[str, str]:
        """The fields that are whole by now."""
        return self._fields.values

    def feed(self, chunk: bytes) -> bytes:
        """Read a chunk; the bytes of the file that it held."""
        data: list[bytes] = []
        for piece in self._parts.feed(chunk):
            match piece:
                case PartBegan():
                    self._begin(piece)
                case PartEnded():
                    if not self._in_file:
                        self._fields.end()
                case _ if self._in_file:
                    data.append(piece)
                case _:
                    self._fields.add(piece)
        return b"".join(data)

    def finish(self) -> None:
        """Say that this was all."""
        self._parts.finish()

    def _begin(self, part: PartBegan) -> None:
        self._in_file = part.name == FILE_PART
        if not self._in_file:
            self._fields.begin(part.name)
            return
        if self.has_file:
            raise bad("a part stands twice")
        self.has_file = True
        self.fields_before_file = dict(self.fields)
        self.file_name = part.file_name


@dataclass(frozen=True, slots=True)
class FileBegan:
    """A recording begins; its bytes follow. `fields`: what goes for it."""

    fields: dict[str, str] = field(repr=False)
    file_name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileEnded:
    """The recording that began last is whole."""


FilePiece: TypeAlias = FileBegan | bytes | FileEnded


class BatchReader:
    """Reads a form with many recordings, each in a part named file.

    Fields before the first file go for all of them, fields between two files for the second of these alone, over what goes
    for all.

    Args:
        content_type: The request's, with its boundary.
        max_files: More are refused.

    Raises:
        Problem: `bad_multipart`, here and in every method.
    """

    def __init__(self, content_type: str, max_files: int) -> None:
        self._parts = Parts(content_type, max_files + MAX_FIELD_PARTS)
        self._max_files = max_files
        self._fields = _Fields()
        self._for_all: dict[str, str] = {}
        self._in_file = False
        self.files = 0

    def feed(self, chunk: bytes) -> Iterator[FilePiece]:
        """Read a chunk; what it held of recordings, in order."""
        for piece in self._parts.feed(chunk):
            match piece:
                case PartBegan() if piece.name == FILE_PART:
                    yield self._begin(piece.file_name)
                case PartBegan():
                    self._in_file = False
                    self._fields.begin(piece.name)
                case PartEnded() if self._in_file:
                    yield FileEnded()
                case PartEnded():
                    self._fields.end()
                case _ if self._in_file:
                    yield piece
                case _:
                    self._fields.add(piece)

    def finish(self) -> None:
        """Say that this was all."""
        self._parts.finish()
        if self._fields.values:
            raise bad("fields behind the last file go for none")

    def _begin(self, file_name: str | None) -> FileBegan:
        self._in_file = True
        self.files += 1
        if self.files > self._max_files:
            raise bad(f"at most {self._max_files} files are taken")
        said = self._fields.values
        if self.files == 1:
            self._for_all = {name: text for name, text in said.items() if name not in _OF_ONE_CALL}
        self._fields = _Fields()
        return FileBegan({**self._for_all, **said}, file_name)
