"""A multipart form as a stream: fields are gathered, the file's bytes handed on as they come, nothing is spooled.

Called by `receive`. The parser is python-multipart's low-level one; the limits are ours.
"""

from __future__ import annotations

from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.ingest.problems import BAD_MULTIPART, Problem

FILE_PART: Final = "file"
MAX_PARTS: Final = 100
MAX_PART_HEADER_BYTES: Final = 16_384
MAX_PART_HEADERS: Final = 16
MAX_BOUNDARY: Final = 200
MAX_FIELD_BYTES: Final = 65_536
MAX_NAME_LENGTH: Final = 200


class FormReader:
    """Reads one form.

    Args:
        content_type: The request's, with its boundary.

    Raises:
        Problem: `bad_multipart`, here and in every method.
    """

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 1 <= len(boundary) <= MAX_BOUNDARY:
            raise _bad(f"the boundary must have 1 to {MAX_BOUNDARY} characters")
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.has_file = False
        self.fields_before_file: dict[str, str] = {}
        self._parts = 0
        self._ended = False
        self._name = ""
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._header_bytes = 0
        self._value = bytearray()
        self._file_data: list[bytes] = []
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

    def feed(self, chunk: bytes) -> bytes:
        """Read a chunk; the bytes of the file that it held."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise _bad("the form's parts are not as RFC 7578 wants them") from None
        data = b"".join(self._file_data)
        self._file_data.clear()
        return data

    def finish(self) -> None:
        """Say that this was all."""
        if not self._ended:
            raise _bad("the form ends before its closing boundary")

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _bad(f"at most {MAX_PARTS} parts are taken")
        self._headers = {}
        self._header_name = self._header_value = b""
        self._header_bytes = 0
        self._value.clear()

    def _count_header(self, length: int) -> None:
        self._header_bytes += length
        if self._header_bytes > MAX_PART_HEADER_BYTES:
            raise _bad(f"a part's headers may have {MAX_PART_HEADER_BYTES} bytes")

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
        self._name = _text(options.get(b"name", b""))
        if disposition != b"form-data" or not self._name or len(self._name) > MAX_NAME_LENGTH:
            raise _bad("every part needs Content-Disposition: form-data with a name")
        if self._name in self.fields or (self._name == FILE_PART and self.has_file):
            raise _bad("a part stands twice")
        if self._name == FILE_PART:
            self.has_file = True
            self.fields_before_file = dict(self.fields)
            self.file_name = _text(options[b"filename"]) if b"filename" in options else None

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE_PART:
            self._file_data.append(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > MAX_FIELD_BYTES:
            raise _bad(f"a field may have {MAX_FIELD_BYTES} bytes")

    def _on_part_end(self) -> None:
        if self._name != FILE_PART:
            try:
                self.fields[self._name] = self._value.decode("utf-8")
            except UnicodeDecodeError:
                raise _bad("fields must be UTF-8") from None

    def _on_end(self) -> None:
        self._ended = True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _bad(detail: str) -> Problem:
    return Problem(BAD_MULTIPART, detail)
