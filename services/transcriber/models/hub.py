"""A model out of a repository on the Hugging Face hub. Called by `fetching`; the hub's own client runs in a child.

The catalogue may not know the files' hashes, but the hub does: its cache names large files by their sha256, and the
snapshot's folder by the commit. Both are checked and kept.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final, Protocol

from services.transcriber.models.catalogue import HubSource
from services.transcriber.models.errors import ModelDamaged, SourceFailed
from services.transcriber.models.formats import Format
from services.transcriber.models.hashes import hash_file
from services.transcriber.models.progress import Progress
from services.transcriber.models.storage import make_private_folder
from services.transcriber.models.watching import Watch, run_watched

_CLIENT: Final = Path(__file__).with_name("hub_client.py")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


class SnapshotDownload(Protocol):
    """Brings a repository's files into a cache folder of the hub's layout."""

    def __call__(self, source: HubSource, /, *, patterns: tuple[str, ...], cache: Path, progress: Progress) -> Path:
        """Download the files that match; goes on where an earlier one stopped.

        Returns:
            The snapshot's folder inside the cache.

        Raises:
            SourceFailed: The hub does not answer, or has no such repository.
        """


def hub_download(source: HubSource, *, patterns: tuple[str, ...], cache: Path, progress: Progress) -> Path:
    """See `SnapshotDownload`."""
    ended = run_watched(
        (sys.executable, "-P", str(_CLIENT), source.repository, source.revision or "", str(cache), *patterns),
        Watch(folder=cache, stage="downloading from the hub", total_bytes=None, progress=progress),
        extra_environment={"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
    )
    if ended.status:
        says = [line for line in ended.errors.splitlines() if line.strip()]
        raise SourceFailed(says[-1] if says else "the hub's client failed")
    return Path(ended.output.strip().splitlines()[-1])


def fetch_hub(
    source: HubSource, format_: Format, *, work: Path, into: Path, download: SnapshotDownload, progress: Progress
) -> str | None:
    """Put the model's files into a folder.

    Args:
        source: The repository.
        format_: Which of its files make the model.
        work: Where the download lies, and stays if it is interrupted, so that the next one goes on.
        into: An empty folder on the same file system.
        download: Brings the files.
        progress: Told about downloading and checking.

    Returns:
        The commit that came, if it can be told.

    Raises:
        SourceFailed: The files can't be had.
        ModelDamaged: A file is not the one that the hub announced.
    """
    cache = work / "hub"
    cache.mkdir(exist_ok=True)
    snapshot = download(source, patterns=format_.patterns, cache=cache, progress=progress)
    for name in format_.files_in(snapshot):
        blob = (snapshot / name).resolve()
        if cache.resolve() not in blob.parents:
            raise ModelDamaged(f"{name} from the hub leads out of its folder: refused")
        announced = blob.name
        if _SHA256.fullmatch(announced) and (
            hash_file(blob, stage=f"checking {name}", progress=progress).sha256 != announced
        ):
            blob.unlink()  # so that the next download does not go on with it
            raise ModelDamaged(f"{name} from the hub is not the file that it announced: refused; try again")
        make_private_folder((into / name).parent)
        blob.replace(into / name)
    return snapshot.name if _COMMIT.fullmatch(snapshot.name) else None
