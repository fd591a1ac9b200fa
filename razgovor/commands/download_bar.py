"""A bar for what takes long with models, on standard error. Used by every command that may have to get one first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

from services.transcriber.models.progress import Progress as Report


@contextmanager
def download_bar(title: str) -> Iterator[Report]:
    """Show a bar while the context lasts; gives the function that moves it. Nothing is drawn before the first report."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(title, total=None, visible=False)
    stages: list[str] = []

    def report(stage: str, done_bytes: int, total_bytes: int | None) -> None:
        if stage not in stages[-1:]:
            stages.append(stage)
            bar.start()
            bar.reset(task, description=f"{title}: {stage}", total=total_bytes, visible=True)
        bar.update(task, completed=done_bytes)

    try:
        yield report
    finally:
        bar.stop()
