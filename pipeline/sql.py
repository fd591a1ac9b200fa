"""SQL lives in files: numbered migrations and named queries. Pure reading; a service's postgres adapter runs them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_MIGRATION = re.compile(r"(?P<number>\d{4})_(?P<name>\w+)\.sql")
_QUERY = re.compile(r"^-- name: (?P<name>\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Migration:
    """One numbered step. A released step never changes."""

    number: int
    name: str
    sql: str


def migrations(package: str) -> tuple[Migration, ...]:
    """The steps of a package's folder, `0001_jobs.sql` first.

    Raises:
        ValueError: Numbers are missing or doubled.
    """
    found = sorted(
        Migration(int(match["number"]), match["name"], entry.read_text(encoding="utf-8"))
        for entry in files(package).iterdir()
        if (match := _MIGRATION.fullmatch(entry.name))
    )
    if [step.number for step in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"{package}: migrations must be numbered 1, 2, 3 ...: {[step.number for step in found]}")
    return tuple(found)


def queries(package: str, file_name: str = "queries.sql") -> Mapping[str, str]:
    """Named queries of a file: each starts with a line `-- name: fetch_job`.

    Raises:
        ValueError: A name stands twice.
    """
    text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    pieces = _QUERY.split(text)[1:]
    found: dict[str, str] = {}
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        if name in found:
            raise ValueError(f"{package}/{file_name}: {name} stands twice")
        found[name] = body.strip()
    return found
