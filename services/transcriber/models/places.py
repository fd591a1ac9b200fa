"""Where a model lies or would lie, by its name in the catalogue or by its folder. Used by `library`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from services.transcriber.models.catalogue import Catalogue, Entry, FolderSource
from services.transcriber.models.errors import ModelUnavailable
from services.transcriber.models.fetching import model_folder
from services.transcriber.models.formats import WHISPER, Format, detect


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A model's name, what its files are, and their folder.

    Attributes:
        entry: None where the catalogue does not know it.
        ours: Whether the folder is the cache's own.
    """

    name: str
    folder: Path
    format: Format
    entry: Entry | None
    ours: bool = False

    @property
    def filled(self) -> bool:
        """Whether somebody put weights here."""
        return self.format.begun_in(self.folder)

    @property
    def emptiness(self) -> str:
        """What to tell people if it is not filled."""
        return f"there is no {self.format.weights[0]} in the folder {self.folder}"


def locate(name_or_folder: str, cache: Path, catalogue: Catalogue) -> Place:
    """Where a model lies, or would lie.

    Raises:
        ModelUnavailable: The catalogue has no such name, and there is no such folder.
    """
    name = catalogue.canonical(name_or_folder)
    entry = catalogue.models.get(name)
    if entry is not None:
        candidates = (model_folder(cache, name), *_folders(entry, cache))
        folder = next((path for path in candidates if entry.format.begun_in(path)), candidates[0])
        return Place(name=name, folder=folder, format=entry.format, entry=entry, ours=folder == candidates[0])
    folder = Path(name_or_folder).expanduser()
    if os.sep in name_or_folder or folder.is_dir():
        if not folder.is_dir():
            raise ModelUnavailable(f"there is no folder {folder}; fill it with a model: docs/models.md says how")
        folder = folder.resolve()
        return Place(name=folder.name, folder=folder, format=detect(folder) or WHISPER, entry=None)
    raise ModelUnavailable(_unknown(name_or_folder, catalogue))


def known(name: str, catalogue: Catalogue) -> tuple[str, Entry]:
    """A model's proper name and its entry.

    Raises:
        ModelUnavailable: The catalogue has none of this name.
    """
    canonical = catalogue.canonical(name)
    if canonical not in catalogue.models:
        raise ModelUnavailable(_unknown(name, catalogue))
    return canonical, catalogue.models[canonical]


def _folders(entry: Entry, cache: Path) -> tuple[Path, ...]:
    return tuple(cache / source.path for source in entry.sources if isinstance(source, FolderSource))


def _unknown(name: str, catalogue: Catalogue) -> str:
    names = ", ".join((*catalogue.models, *catalogue.aliases))
    return f"there is no model {name!r}: take one of {names}, or a folder with a model"
