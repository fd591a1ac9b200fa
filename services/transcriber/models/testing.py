"""A model of a few hundred bytes with everything that the package looks at, and ways to have it without a network.

For tests of this package and of the commands; no engine can load it.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.transcriber.models.catalogue import (
    Catalogue,
    Entry,
    FolderSource,
    HubSource,
    Package,
    PackagedFile,
    PackagesSource,
    Part,
    Source,
)
from services.transcriber.models.errors import SourceFailed
from services.transcriber.models.fetching import Downloads
from services.transcriber.models.progress import Progress

NAME: Final = "small-as-can-be"
ALIAS: Final = "tiniest"
FILES: Final[Mapping[str, bytes]] = {
    "model.bin": bytes(range(256)) * 2,
    "config.json": b'{"alignment_heads": []}',
    "tokenizer.json": b'{"model": {}}',
    "vocabulary.json": b'["a", "b"]',
}
HUB: Final = HubSource(kind="hub", repository="Somebody/some-model")
_SPLIT_AT: Final = 300


def sha256(data: bytes) -> str:
    """The hash as a catalogue writes it."""
    return hashlib.sha256(data).hexdigest()


def fill(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Put a model's files into a folder, as somebody would by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def write_wheel(folder: Path, package: str, members: Mapping[str, bytes]) -> Package:
    """Make a wheel that pip accepts; members lie under the package's import name in `data/`."""
    stem = package.replace("-", "_")
    info = f"{stem}-1.0.0.dist-info"
    path = folder / f"{stem}-1.0.0-py3-none-any.whl"
    content = {
        f"{stem}/__init__.py": b"raise ImportError('data only')\n",
        **{f"{stem}/data/{name}": data for name, data in members.items()},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in content.items():
            wheel.writestr(name, data)
    return Package(name=package, version="1.0.0", size_bytes=path.stat().st_size, sha256=sha256(path.read_bytes()))


def write_wheels(folder: Path) -> PackagesSource:
    """The model in two wheels, its weights in two parts."""
    weights = FILES["model.bin"]
    rest = {name: data for name, data in FILES.items() if name != "model.bin"}
    first = write_wheel(folder, "some-model-1", {"model.bin.part1": weights[:_SPLIT_AT]})
    second = write_wheel(folder, "some-model-2", {"model.bin.part2": weights[_SPLIT_AT:], **rest})
    parts: dict[str, tuple[Part, ...]] = {
        name: (Part(package="some-model-2", path=f"some_model_2/data/{name}"),) for name in rest
    }
    parts["model.bin"] = (
        Part(package="some-model-1", path="some_model_1/data/model.bin.part1"),
        Part(package="some-model-2", path="some_model_2/data/model.bin.part2"),
    )
    return PackagesSource(
        kind="packages",
        packages=(first, second),
        files=tuple(
            PackagedFile(name=name, size_bytes=len(data), sha256=sha256(data), parts=parts[name])
            for name, data in FILES.items()
        ),
    )


def catalogue_of(*sources: Source) -> Catalogue:
    """A catalogue with the one model; its folder in the cache always comes first."""
    folder = FolderSource(kind="folder", path=Path("models", NAME))
    entry = Entry(parameters_millions=1, licence="MIT", sources=(folder, *sources))
    return Catalogue(aliases={ALIAS: NAME}, models={NAME: entry})


@dataclass(slots=True)
class WheelsAtHand:
    """A package download from a folder of wheels; counts how often it was asked."""

    folder: Path
    asked: int = field(default=0)

    def __call__(self, packages: Sequence[Package], *, work: Path, progress: Progress) -> Mapping[str, Path]:
        """See `PackageDownload`."""
        self.asked += 1
        (work / "left-behind").touch()
        progress("downloading packages", 0, sum(package.size_bytes for package in packages))
        return {
            package.name: self.folder / f"{package.name.replace('-', '_')}-{package.version}-py3-none-any.whl"
            for package in packages
        }


def no_packages(packages: Sequence[Package], **_: object) -> Mapping[str, Path]:
    """A package index that does not answer."""
    raise SourceFailed(f"no index has {packages[0].name}")


def no_hub(source: HubSource, **_: object) -> Path:
    """A hub that does not answer."""
    raise SourceFailed(f"no hub has {source.repository}")


NO_NETWORK: Final = Downloads(packages=no_packages, hub=no_hub)
