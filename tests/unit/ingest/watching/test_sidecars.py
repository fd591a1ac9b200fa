from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.fields import parse_fields
from services.ingest.watching.sidecars import SidecarError, names_of, parse


def test_a_sidecar_lies_beside_its_recording() -> None:
    assert list(names_of("20260131/call.wav")) == [
        "20260131/call.json", "20260131/call.csv", "20260131/call.wav.json", "20260131/call.wav.csv",
    ]  # fmt: skip
    assert list(names_of("call")) == ["call.json", "call.csv"]


def test_json_gives_the_fields_of_an_upload() -> None:
    data = {
        "call_id": "7", "direction": "inbound", "operator": "Анна К.", "channels": ["operator", "customer"],
        "started_at": "2026-01-31T14:05:00+03:00", "metadata": {"campaign": "winter"}, "chain_id": "c", "score": 5,
    }  # fmt: skip
    fields = parse_fields(parse("call.json", json.dumps(data).encode()), {"ru"})
    assert (fields.call_id, fields.direction, fields.operator) == ("7", "inbound", "Анна К.")
    assert fields.channels == ("operator", "customer")
    assert fields.metadata == {"campaign": "winter", "chain_id": "c", "score": "5"}


def test_csv_gives_them_too() -> None:
    data = "Operator;Direction;chain_id\r\nАнна К.;outbound;c\r\n".encode("cp1251")
    fields = parse_fields(parse("call.CSV", data), {"ru"})
    assert (fields.operator, fields.direction, fields.metadata) == ("Анна К.", "outbound", {"chain_id": "c"})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.json", b""),
        ("a.json", b"{"),
        ("a.json", b"[]"),
        ("a.json", b'{"operator": {}}'),
        ("a.json", b'{"operator": 1.5}'),
        ("a.json", b'{"operator": NaN}'),
        ("a.json", b'{"score": 99999999999999999999}'),
        ("a.json", b'{"metadata": "x"}'),
        ("a.json", b"[" * 50_000),
        ("a.json", b'{"priority": "interactive"}'),
        ("a.json", b'{"codec": "alaw"}'),
        ("a.json", b" " * 65_537),
        ("a.csv", b""),
        ("a.csv", b"operator\n"),
        ("a.csv", b"operator\na\nb\n"),
        ("a.csv", b'operator\n"a'),
    ],
)
def test_what_is_no_sidecar_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(SidecarError):
        parse(name, data)


@given(st.binary(max_size=200), st.sampled_from(["a.json", "a.csv"]))
def test_whatever_lies_there_is_read_or_refused(data: bytes, name: str) -> None:
    with suppress(SidecarError):
        assert isinstance(parse(name, data), dict)
