"""How a command ends that cannot do what it should: with the error's text on standard error, never with a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from pipeline.errors import RazgovorError


@contextmanager
def explained(exit_status: int = 1) -> Iterator[None]:
    """End the command with what an error of ours says."""
    try:
        yield
    except RazgovorError as error:
        fail(str(error), exit_status, error)


def fail(why: str, exit_status: int = 1, cause: Exception | None = None) -> NoReturn:
    """End the command with this."""
    typer.echo(why, err=True)
    raise typer.Exit(exit_status) from cause
