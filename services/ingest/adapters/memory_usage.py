"""The shipped fake of `usage.UsageRecord`, in memory."""

from __future__ import annotations

from datetime import date

from services.ingest.usage import Usage


class MemoryUsage:
    """See `usage.UsageRecord`. `usages` is there for tests to fill."""

    def __init__(self) -> None:
        self.usages: list[Usage] = []

    def of_month(self, month: date, client_id: str | None = None) -> list[Usage]:
        """See `UsageRecord.of_month`."""
        found = [usage for usage in self.usages if usage.month == month and client_id in {None, usage.client_id}]
        return sorted(found, key=lambda usage: usage.client_id)
