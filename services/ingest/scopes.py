"""What an API key may do. Called by `web.auth` and the command line."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

#: Submit recordings; cancel and requeue jobs.
SUBMIT: Final = "submit"
#: See jobs, fetch their files.
READ: Final = "read"
#: Erase jobs for good.
ADMIN: Final = "admin"
SCOPES: Final = (SUBMIT, READ, ADMIN)
#: What a key may do unless it is said: all but what cannot be undone.
USUAL: Final = (SUBMIT, READ)


def checked(scopes: Collection[str]) -> tuple[str, ...]:
    """These scopes, in their order, each once.

    Raises:
        ValueError: There are none, or nobody knows one.
    """
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValueError(f"scopes are out of {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in scopes)
