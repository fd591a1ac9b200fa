"""Waiting with a deadline on a condition, for commands and tests; see `razgovor.embedded.waiting`."""

from __future__ import annotations

from razgovor.embedded.waiting import until

__all__ = ["until"]
