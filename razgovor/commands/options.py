"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

_LIMIT_MAX: Final = 100_000

DATA: Final = Path("razgovor-data")
DataOption = Annotated[Path, typer.Option(help="The folder of a running `razgovor up`.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be, and change nothing.")]
LimitOption = Annotated[int, typer.Option(help="So many at most, oldest first.", min=1, max=_LIMIT_MAX)]
