"""The named statements of queries.sql."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.sql import queries

STATEMENTS: Final[Mapping[str, str]] = queries("services.ingest.adapters.postgres")
