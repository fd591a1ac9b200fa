"""`--since` of several commands: a moment, or how long ago."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from razgovor.commands.durations import duration


def moment(text: str, now: datetime) -> datetime:
    """The moment that a text names: `90s`, `15m`, `2h`, `3d` before now, or a date and time (without a zone: UTC).

    Raises:
        ValueError: It names none.
    """
    ago = duration(text)
    if ago is not None:
        return now - ago
    named = datetime.fromisoformat(text)
    return named if named.tzinfo is not None else named.replace(tzinfo=UTC)


def _parse(text: str) -> datetime:
    try:
        return moment(text, datetime.now(UTC))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter("15m, 2h, 3d, or a date such as 2026-11-23T09:30") from error


SinceOption = Annotated[
    datetime | None,
    typer.Option(
        help="Only what is no older: 15m, 2h, 3d, or 2026-11-23T09:30 (UTC).",
        parser=_parse,
        metavar="WHEN",
        show_default=False,
    ),
]
