"""Oktell's journal: what its name does not say of a recording, out of an export of `oktell.dbo.A_Stat_Connections_1x1`. Pure.

The query and how to have it run stand in docs/watching.md. A row is found by the time in the name, which is the connection's
`TimeStart`, and by both lines. Two rows that fit equally well are none: nothing is guessed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.ingest.watching.readings import INBOUND, OUTBOUND, Reading
from services.ingest.watching.tables import TableError, rows

#: The name's time is TimeStart to the millisecond; a server's DATETIME rounds, and an export may cut.
TOLERANCE: Final = timedelta(seconds=1)
MAX_BYTES: Final = 256 * 2**20
#: ConnectionType: from inside out, and from outside in. Others (to the IVR, inside, through) have no customer on one side.
_DIRECTIONS: Final[Mapping[str, str]] = {"1": OUTBOUND, "5": INBOUND}
_NEEDED: Final = ("timestart", "connectiontype", "aoutnumber", "boutnumber", "idchain")
_TIME_FORMATS: Final = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One row: a connection of two lines.

    Attributes:
        lines: The pairs that a name may hold of it: of lines, of numbers; each sorted.
        a_number, b_number: Who called, who was called.
        operator: Whom the export names, where it does; else the line or number on our side.
    """

    started_at: datetime
    lines: frozenset[tuple[str, str]]
    direction: str | None
    a_number: str
    b_number: str
    a_line: str
    b_line: str
    chain_id: str | None
    call_id: str | None
    operator: str | None

    def joined(self, reading: Reading) -> Reading:
        """What the name says, and what the row adds."""
        ours, customer = None, None
        if self.direction == OUTBOUND:
            ours, customer = self.a_line or self.a_number, self.b_number
        elif self.direction == INBOUND:
            ours, customer = self.b_line or self.b_number, self.a_number
        return replace(
            reading,
            call_id=self.call_id or reading.call_id,
            direction=self.direction,
            operator=self.operator or ours or None,
            customer_number=customer or None,
            chain_id=self.chain_id,
        )


class Journal:
    """Connections, to be found by time and lines.

    Args:
        connections: In any order.
    """

    def __init__(self, connections: Iterable[Connection] = ()) -> None:
        self._connections = sorted(connections, key=lambda connection: connection.started_at)
        self._times = [connection.started_at for connection in self._connections]

    def __len__(self) -> int:
        return len(self._connections)

    def find(self, reading: Reading) -> Connection | None:
        """The connection that a name means; None: there is none, or more than one that fits as well."""
        if reading.local_time is None or reading.lines is None:
            return None
        wanted = _pair(*reading.lines)
        distances = [
            (abs(connection.started_at - reading.local_time), connection)
            for connection in self._near(reading.local_time)
            if wanted in connection.lines
        ]
        nearest = min((distance for distance, _ in distances), default=None)
        found = [connection for distance, connection in distances if distance == nearest]
        return found[0] if found and all(connection == found[0] for connection in found) else None

    def _near(self, moment: datetime) -> Iterator[Connection]:
        for connection in self._connections[bisect_left(self._times, moment - TOLERANCE) :]:
            if connection.started_at > moment + TOLERANCE:
                return
            yield connection


def journal(data: bytes) -> Journal:
    """An export as it lies on the disk.

    Raises:
        TableError: It is no such export.
    """
    if len(data) > MAX_BYTES:
        raise TableError(f"a journal has at most {MAX_BYTES} bytes")
    return Journal(connection for row in rows(data) if (connection := _connection(row)) is not None)


def _connection(row: Mapping[str, str]) -> Connection | None:
    lacking = [name for name in _NEEDED if name not in row]
    if lacking:
        raise TableError(f"the journal has no column {', '.join(lacking)}")
    started_at = _moment(row["timestart"])
    if started_at is None:  # sqlcmd's last line counts the rows
        return None
    numbers, lines = (row["aoutnumber"], row["boutnumber"]), (row.get("alinenum", ""), row.get("blinenum", ""))
    return Connection(
        started_at=started_at,
        lines=frozenset(_pair(*pair) for pair in (numbers, lines) if all(pair)),
        direction=_DIRECTIONS.get(row["connectiontype"]),
        a_number=numbers[0],
        b_number=numbers[1],
        a_line=lines[0],
        b_line=lines[1],
        chain_id=_said(row["idchain"]),
        call_id=_said(row.get("id", "")),
        operator=_said(row.get("operator", "")),
    )


def _said(text: str) -> str | None:
    return None if text.upper() in {"", "NULL"} else text


def _moment(text: str) -> datetime | None:
    for form in _TIME_FORMATS:
        try:
            return datetime.strptime(text.replace("T", " "), form)  # noqa: DTZ007  the server's own zone, as in the names
        except ValueError:
            continue
    return None


def _pair(one: str, other: str) -> tuple[str, str]:
    first, second = sorted((one.lower(), other.lower()))
    return first, second
