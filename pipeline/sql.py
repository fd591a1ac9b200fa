"""SQL lives in files: numbered migrations and named queries. Pure reading; a service's postgres adapter runs them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from pipeline.errors import Fatal

_MIGRATION = re.compile(r"(?P<number>\d{4})_(?P<name>\w+)\.sql")
_QUERY = re.compile(r"^-- name: (?P<name>\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Migration:
    """One numbered step. A released step never changes."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Of its text, hex: what a database keeps of a step that was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def missing(steps: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """The steps that a database lacks, in order. What a newer release applied there is left alone.

    Args:
        steps: All steps of this release.
        applied: The hash of each step that the database has, by its number.

    Raises:
        Fatal: A step that was applied reads differently in this release.
    """
    for step in steps:
        if applied.get(step.number, step.sha256) != step.sha256:
            raise Fatal(f"migration {step.number:04}_{step.name} was applied to this database and has changed since")
    return [step for step in steps if step.number not in applied]


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
