"""The named statements of queries.sql."""

from __future__ import annotations

from typing import Final

from pipeline.sql import queries

STATEMENTS: Final = {name: text.encode() for name, text in queries("services.ingest.adapters.postgres").items()}
