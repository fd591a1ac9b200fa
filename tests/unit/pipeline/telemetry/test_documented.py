"""The table in docs/operations.md says of every metric what the code says."""

from __future__ import annotations

from pathlib import Path

from pipeline.telemetry import families
from pipeline.telemetry.families import Family

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"


def test_every_metric_is_documented_as_it_is() -> None:
    rows = {line for line in OPERATIONS.read_text(encoding="utf-8").splitlines() if line.startswith("| `razgovor_")}
    declared = {
        f"| `{family.name}` | {type(family).__name__.lower()} | "
        f"{', '.join(f'`{label}`' for label in family.labels)} | {family.text} |"
        for family in vars(families).values()
        if isinstance(family, Family)
    }
    assert rows == declared
