from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.watching.oktell import Connection, Journal, journal
from services.ingest.watching.readings import Reading
from services.ingest.watching.tables import TableError

HEAD = "Id;IdChain;TimeStart;ConnectionType;ALineNum;BLineNum;AOutNumber;BOutNumber"
INBOUND = "c1;CHAIN-1;2026-01-31 14:05:12.347;5;e00042;101;79160000000;74950000000"
OUTBOUND = "c2;CHAIN-2;2026-01-31 14:06:00.000;1;102;e00043;102;79161111111"
TRANSFER = "c3;CHAIN-1;2026-01-31 14:07:00.000;5;e00042;103;79160000000;103"


def of(*rows: str, head: str = HEAD) -> Journal:
    return journal("\r\n".join([head, *rows]).encode())


def mix(line_a: str, line_b: str, text: str) -> Reading:
    return Reading(local_time=datetime.fromisoformat(text), lines=(line_a, line_b))


def joined(connections: Journal, reading: Reading) -> Reading:
    found = connections.find(reading)
    assert found is not None
    return found.joined(reading)


def test_an_inbound_call_gets_direction_sides_and_chain() -> None:
    found = joined(of(OUTBOUND, INBOUND), mix("101", "e00042", "2026-01-31T14:05:12.347"))
    assert (found.direction, found.operator, found.customer_number) == ("inbound", "101", "79160000000")
    assert (found.chain_id, found.call_id) == ("CHAIN-1", "c1")


def test_an_outbound_call_gets_its_own_sides() -> None:
    found = joined(of(OUTBOUND, INBOUND), mix("102", "e00043", "2026-01-31T14:06:00"))
    assert (found.direction, found.operator, found.customer_number) == ("outbound", "102", "79161111111")


def test_the_parts_of_a_transferred_call_share_a_chain() -> None:
    connections = of(INBOUND, TRANSFER)
    parts = [
        joined(connections, mix("101", "e00042", "2026-01-31T14:05:12.347")),
        joined(connections, mix("103", "e00042", "2026-01-31T14:07:00")),
    ]
    assert [part.chain_id for part in parts] == ["CHAIN-1", "CHAIN-1"]
    assert [part.operator for part in parts] == ["101", "103"]


def test_names_of_numbers_are_found_as_well_as_names_of_lines() -> None:
    found = joined(of(OUTBOUND), mix("79161111111", "102", "2026-01-31T14:06:00"))
    assert found.direction == "outbound"


@pytest.mark.parametrize("kind", ["2", "3", "4", "6", "7", "8", "", "NULL"])
def test_a_connection_that_is_neither_in_nor_out_gives_no_direction(kind: str) -> None:
    found = joined(
        of(f"c;x;2026-01-31 14:05:12.347;{kind};101;102;101;102"), mix("101", "102", "2026-01-31T14:05:12.347")
    )
    assert (found.direction, found.operator, found.customer_number, found.chain_id) == (None, None, None, "x")


def test_the_export_may_name_the_operator() -> None:
    found = joined(of(f"{INBOUND};Анна К.", head=f"{HEAD};Operator"), mix("101", "e00042", "2026-01-31T14:05:12.347"))
    assert found.operator == "Анна К."


@pytest.mark.parametrize(
    "reading",
    [
        mix("101", "e00042", "2026-01-31T14:05:13.348"),  # more than a second away
        mix("101", "e00099", "2026-01-31T14:05:12.347"),  # another line
        Reading(),
        Reading(lines=("101", "e00042")),
    ],
)
def test_what_does_not_fit_is_not_joined(reading: Reading) -> None:
    assert of(INBOUND).find(reading) is None


def test_two_rows_that_fit_equally_well_are_none() -> None:
    twin = INBOUND.replace("c1;CHAIN-1", "c9;CHAIN-9")
    reading = mix("101", "e00042", "2026-01-31T14:05:12.347")
    assert of(INBOUND, twin).find(reading) is None
    assert of(INBOUND, INBOUND).find(reading) is not None  # the same row twice is one


def test_the_nearest_of_several_is_meant() -> None:
    near = INBOUND.replace("c1", "c0").replace("12.347", "12.900")
    assert joined(of(near, INBOUND), mix("101", "e00042", "2026-01-31T14:05:12.347")).call_id == "c1"


@given(st.permutations([INBOUND, OUTBOUND, TRANSFER]))
def test_the_order_of_rows_does_not_matter(rows: Sequence[str]) -> None:
    assert joined(of(*rows), mix("e00042", "101", "2026-01-31T14:05:12.347")).call_id == "c1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_exports_come_in_many_forms(encoding: str, delimiter: str) -> None:
    text = "\n".join([f"{HEAD};Operator", f"{INBOUND};Ёлкина"]).replace(";", delimiter)
    found = joined(journal(text.encode(encoding)), mix("101", "e00042", "2026-01-31T14:05:12.347"))
    assert found.operator == "Ёлкина"


def test_what_sqlcmd_puts_around_a_table_is_passed_over() -> None:
    dashes = ";".join("-" * 8 for _ in HEAD.split(";"))
    assert len(of(dashes, INBOUND, "", "(1 rows affected)")) == 1


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a;b\n1;2\n", b'Id;"x\n', b"\xff\xfe"])
def test_what_is_no_export_is_refused(data: bytes) -> None:
    with pytest.raises(TableError):
        journal(data)


def test_a_row_without_both_lines_is_never_joined() -> None:
    row = Connection(
        started_at=datetime.fromisoformat("2026-01-31T00:00:00"), lines=frozenset(), direction=None, a_number="", b_number="",
        a_line="", b_line="", chain_id=None, call_id=None, operator=None,
    )  # fmt: skip
    assert (
        Journal([row]).find(Reading(local_time=datetime.fromisoformat("2026-01-31T00:00:00"), lines=("", ""))) is None
    )
