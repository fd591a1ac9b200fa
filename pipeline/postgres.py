"""What all doors to PostgreSQL share: how a connection is asked for, and how a refusal reads. Pure; knows no driver."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

#: As libpq names them. Notice a server that vanished without a word, also in the middle of a statement.
_PARAMETERS: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
#: libpq gives no code for these, only the server's words; in another language than English they are waited for, loudly.
_REFUSED: Final = re.compile(
    r"password authentication failed|no pg_hba\.conf entry|no password supplied"
    r'|(role|user|database) "[^"]*" (does not exist|is not permitted to log in)'
)


def missing_parameters(given: Collection[str], application_name: str) -> dict[str, Any]:
    """What to connect with beside an address.

    Args:
        given: The names of the parameters that the address itself says.
        application_name: Who connects, for the server's lists.
    """
    wanted = {**_PARAMETERS, "application_name": application_name}
    return {name: value for name, value in wanted.items() if name not in given}


def in_one_line(message: object) -> str:
    """What libpq says when it does not get in, which it breaks into lines."""
    return " ".join(str(message).split())


def is_refusal(message: object) -> bool:
    """Whether such a message says that the role, its password or the database is wrong: waiting does not help."""
    return _REFUSED.search(in_one_line(message)) is not None
