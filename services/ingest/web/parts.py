"""A multipart form's parts as they stream: what began, its bytes, its end. Called by `multipart`.

The parser is python-multipart's low-level one; the limits are ours. Nothing is kept but what a part's headers say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.ingest.problems import BAD_MULTIPART, Problem

MAX_PART_HEADER_BYTES: Final = 16_384
MAX_PART_HEADERS: Final = 16
MAX_BOUNDARY: Final = 200
MAX_NAME_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class PartBegan:
    """A part begins; its bytes follow. `file_name`: None where it has none."""

    name: str
    file_name: str | None


@dataclass(frozen=True, slots=True)
class PartEnded:
    """The part that began last is whole."""


Piece: TypeAlias = PartBegan | bytes | PartEnded


class Parts:
    """Takes one form apart.

    Args:
        content_type: The request's, with its boundary.
        max_parts: More are refused.

    Raises:
        Problem: `bad_multipart`, here and in every method.
    """

    def __init__(self, content_type: str, max_parts: int) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 1 <= len(boundary) <= MAX_BOUNDARY:
            raise bad(f"the boundary must have 1 to {MAX_BOUNDARY} characters")
        self._max_parts = max_parts
        self._count = 0
        self._ended = False
        self._fault: Problem | None = None
        self._pieces: list[Piece] = []
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._header_bytes = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER_BYTES,
        )

    def feed(self, chunk: bytes) -> list[Piece]:
        """Read a chunk; what it held, in order. What is sound before a fault is given first, the fault with the next call."""
        self._tell()
        try:
            self._parser.write(chunk)
        except FormParserError:
            self._fault = bad("the form's parts are not as RFC 7578 wants them")
        except Problem as fault:
            self._fault = fault
        pieces, self._pieces = self._pieces, []
        if not pieces:
            self._tell()
        return pieces

    def finish(self) -> None:
        """Say that this was all."""
        self._tell()
        if not self._ended:
            raise bad("the form ends before its closing boundary")

    def _tell(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _on_part_begin(self) -> None:
        self._count += 1
        if self._count > self._max_parts:
            raise bad(f"at most {self._max_parts} parts are taken")
        self._headers = {}
        self._header_name = self._header_value = b""
        self._header_bytes = 0

    def _count_header(self, length: int) -> None:
        self._header_bytes += length
        if self._header_bytes > MAX_PART_HEADER_BYTES:
            raise bad(f"a part's headers may have {MAX_PART_HEADER_BYTES} bytes")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = _text(options.get(b"name", b""))
        if disposition != b"form-data" or not name or len(name) > MAX_NAME_LENGTH:
            raise bad("every part needs Content-Disposition: form-data with a name")
        self._pieces.append(PartBegan(name, _text(options[b"filename"]) if b"filename" in options else None))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _on_part_end(self) -> None:
        self._pieces.append(PartEnded())

    def _on_end(self) -> None:
        self._ended = True


def bad(detail: str) -> Problem:
    """The refusal of a form."""
    return Problem(BAD_MULTIPART, detail)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
