"""The named queries of `queries.sql`: texts of our own, never built from data. Run by `record`, `letters` and `migrator`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.sql import queries

STATEMENTS: Final[Mapping[str, str]] = queries("services.ledger.adapters.postgres")
