from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.problems import BAD_MULTIPART, Problem
from services.ingest.web.multipart import FormReader

TYPE = "multipart/form-data; boundary=BOUND"
FILE = b"RIFF\r\n--BOUN\r\n\r\n--BOUNDX\x00\xff" * 30


def part(name: str, value: bytes, extra: str = "", headers: str = "") -> bytes:
    head = f'--BOUND\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n{headers}\r\n'
    return head.encode() + value + b"\r\n"


END = b"--BOUND--\r\n"
FORM = (
    part("call_id", b"c-1")
    + part("file", FILE, '; filename="звонок.wav"', "Content-Type: audio/wav\r\n")
    + part("operator", "Анна".encode())
    + END
)


def read(form: bytes, sizes: list[int] | None = None) -> tuple[FormReader, bytes]:
    reader, file, rest = FormReader(TYPE), b"", form
    for size in sizes or []:
        file += reader.feed(rest[:size])
        rest = rest[size:]
    file += reader.feed(rest)
    reader.finish()
    return reader, file


@given(st.lists(st.integers(1, 40), max_size=80))
def test_however_it_is_cut_the_form_is_the_same(sizes: list[int]) -> None:
    reader, file = read(FORM, sizes)
    assert file == FILE
    assert (reader.fields, reader.file_name) == ({"call_id": "c-1", "operator": "Анна"}, "звонок.wav")


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_a_form_or_a_refusal(form: bytes) -> None:
    kind = BAD_MULTIPART
    try:
        read(part("a", b"b") + form)
    except Problem as problem:
        kind = problem.kind
    assert kind == BAD_MULTIPART


@pytest.mark.parametrize(
    "form",
    [
        b"no form",
        FORM.removesuffix(END),
        part("file", FILE)[:-20],
        b"".join(part(f"f{number}", b"") for number in range(1001)) + END,
        part("a", b"", headers="X: " + "x" * 1_000_000 + "\r\n") + END,
        part("a", b"", headers="".join(f"X{number}: {'x' * 4000}\r\n" for number in range(6))) + END,
        part("a", b"", headers="".join(f"X{number}: x\r\n" for number in range(40))) + END,
        part("a", b"x" * 65_537) + END,
        part("a" * 201, b"x") + END,
        part("a", b"1") + part("a", b"2") + END,
        part("file", FILE) + part("file", FILE) + END,
        part("a", b"\xff\xfe") + END,
        b"--BOUND\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" + END,
        b"--BOUND\r\nContent-Type: text/plain\r\n\r\nx\r\n" + END,
        b"--BOUND\r\nCont ent: x\r\n\r\nx\r\n" + END,
    ],
)
def test_a_broken_or_excessive_form_is_refused(form: bytes) -> None:
    with pytest.raises(Problem) as caught:
        read(form, [1000] * 1100)
    assert caught.value.kind == BAD_MULTIPART


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 10_000],
)
def test_a_missing_or_huge_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(Problem) as caught:
        FormReader(content_type)
    assert caught.value.kind == BAD_MULTIPART


def test_a_file_without_a_name_is_a_file() -> None:
    reader, file = read(part("file", b"x") + END)
    assert (reader.has_file, reader.file_name, file) == (True, None, b"x")
