"""The named statements of queries.sql, and of limits.sql."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.sql import queries

STATEMENTS: Final[Mapping[str, str]] = queries("services.ingest.adapters.postgres")
LIMITS: Final[Mapping[str, str]] = queries("services.ingest.adapters.postgres", "limits.sql")
