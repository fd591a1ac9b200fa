"""How urgent a job may be. Read by whoever takes jobs on, and by the relay, which announces them."""

from __future__ import annotations

from typing import Final

#: From the most urgent on.
PRIORITIES: Final = ("interactive", "normal", "bulk")
