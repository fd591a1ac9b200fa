"""The package's face: find a model by name or folder, get it, check it, list what there is.

Called by the transcriber's composition root (`resolve`) and by `razgovor models` and `razgovor doctor`. Works without any
network once the model is there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.transcriber.models.catalogue import Catalogue, Entry, shipped_catalogue
from services.transcriber.models.errors import ModelDamaged, ModelUnavailable
from services.transcriber.models.fetching import Downloads, exclusive, fetch, model_folder, take_over
from services.transcriber.models.formats import WHISPER, Format
from services.transcriber.models.hashes import HashMemo
from services.transcriber.models.inspection import Expectation, FileCheck, Verdict, inspect, records
from services.transcriber.models.manifest import Manifest, read_manifest, write_manifest
from services.transcriber.models.places import Place, known, locate
from services.transcriber.models.progress import Progress, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that may be loaded.

    Attributes:
        name: As in the catalogue, or the folder's name; for provenance.
        folder: What the engine loads.
        format: What its files are, and which engine loads them.
        languages: That it knows; none: many.
        sha256: Of the weights; see `Format.weights_sha256`.
        size_bytes: Of all files that the engine reads.
        licence: None for a folder that the catalogue does not know.
        source: `packages`, `hub` or `folder`.
        pinned: Whether every file is the one that the catalogue names; otherwise they are as first recorded.
    """

    name: str
    folder: Path
    format: Format
    languages: tuple[str, ...]
    sha256: str
    size_bytes: int
    licence: str | None
    source: str
    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a model's folder holds, file by file, read through."""

    name: str
    folder: Path
    source: str
    files: tuple[FileCheck, ...]

    @property
    def good(self) -> bool:
        """Whether every file is there and the one it should be."""
        return all(check.verdict.good for check in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One line of the catalogue; `size_bytes` is `approximate` until the files were seen."""

    name: str
    engine: str
    licence: str
    size_bytes: int
    approximate: bool
    state: Literal["ready", "absent", "damaged"]
    folder: Path
    sources: tuple[str, ...]


def resolve(
    name_or_folder: str,
    *,
    cache: Path,
    progress: Progress = silent,
    may_fetch: bool = True,
    catalogue: Catalogue | None = None,
    downloads: Downloads | None = None,
) -> Model:
    """Find a model, getting it first if need be; checked, ready to be loaded.

    Files that were not touched since they were last read through are not read again.

    Args:
        name_or_folder: A name or alias of the catalogue, or a folder with a model.
        cache: Where models are kept.
        progress: Told about what takes long.
        may_fetch: Whether a missing model may be got; otherwise nothing touches the network.
        catalogue: Another than the shipped one.
        downloads: Another way over the network.

    Raises:
        ModelUnavailable: It is not here and can't be had; the message names the folder to fill.
        ModelDamaged: A file is missing or is not the one it was.
    """
    place = locate(name_or_folder, cache, catalogue or shipped_catalogue())
    if place.filled:
        return _accept(place, cache, progress)
    if place.entry is None:
        raise ModelUnavailable(place.emptiness)
    if not may_fetch:
        raise ModelUnavailable(
            f"model {place.name} is not in {place.folder}; `razgovor models get {place.name}` brings it"
        )
    with exclusive(cache, place.name, progress):
        if not place.filled:  # whoever held the lock before us may have brought it
            fetch(place.name, place.entry, cache=cache, downloads=downloads or Downloads(), progress=progress)
        return _accept(place, cache, progress)


def get(
    name: str,
    *,
    cache: Path,
    progress: Progress = silent,
    catalogue: Catalogue | None = None,
    downloads: Downloads | None = None,
) -> Model:
    """Bring a model of the catalogue into the cache, if it is not there. See `resolve`."""
    chosen = catalogue or shipped_catalogue()
    name, _ = known(name, chosen)
    return resolve(name, cache=cache, progress=progress, catalogue=chosen, downloads=downloads)


def take(
    name: str, given: Path, *, cache: Path, progress: Progress = silent, catalogue: Catalogue | None = None
) -> Model:
    """Copy a model of the catalogue out of a folder into the cache; touches no network.

    Raises:
        ModelUnavailable: The folder does not hold it, or the cache has one already.
        ModelDamaged: A file is not the one that it should be.
    """
    name, entry = known(name, catalogue or shipped_catalogue())
    place = Place(name=name, folder=model_folder(cache, name), format=entry.format, entry=entry, ours=True)
    with exclusive(cache, name, progress):
        if place.filled:
            raise ModelUnavailable(f"there is a model in {place.folder} already; remove that folder first")
        take_over(name, entry, given.expanduser(), cache=cache, progress=progress)
        return _accept(place, cache, progress)


def verify(
    name_or_folder: str, *, cache: Path, progress: Progress = silent, catalogue: Catalogue | None = None
) -> Verification:
    """Read every file of a model through and compare; touches no network.

    Raises:
        ModelUnavailable: There is no model.
        ModelDamaged: Its manifest can't be read.
    """
    place = locate(name_or_folder, cache, catalogue or shipped_catalogue())
    if not place.filled:
        raise ModelUnavailable(place.emptiness)
    manifest = read_manifest(place.folder)
    checks = _inspect(place, manifest, cache, progress, trust=False)
    return Verification(
        name=place.name, folder=place.folder, source=manifest.source if manifest else "folder", files=checks
    )


def canonical_name(name: str, *, catalogue: Catalogue | None = None) -> str:
    """The name itself, or what the alias stands for."""
    return (catalogue or shipped_catalogue()).canonical(name)


def list_models(*, cache: Path, catalogue: Catalogue | None = None) -> tuple[Listing, ...]:
    """Every model of the catalogue, by engine, smallest first; reads no file through that was read before."""
    chosen = catalogue or shipped_catalogue()
    in_order = sorted(
        chosen.models.items(), key=lambda item: (item[1].format.engine != WHISPER.engine, item[1].parameters_millions)
    )
    return tuple(_list_one(name, entry, cache, chosen) for name, entry in in_order)


def _list_one(name: str, entry: Entry, cache: Path, catalogue: Catalogue) -> Listing:
    place = locate(name, cache, catalogue)
    state: Literal["ready", "absent", "damaged"] = "absent"
    size_bytes = entry.known_bytes
    if place.filled:
        try:
            size_bytes = _accept(place, cache, silent).size_bytes
            state = "ready"
        except ModelDamaged:
            state = "damaged"
    return Listing(
        name=name,
        engine=entry.format.engine,
        licence=entry.licence,
        size_bytes=entry.approximate_bytes if size_bytes is None else size_bytes,
        approximate=size_bytes is None,
        state=state,
        folder=place.folder,
        sources=tuple(source.kind for source in entry.sources),
    )


def _accept(place: Place, cache: Path, progress: Progress) -> Model:
    manifest = read_manifest(place.folder)
    checks = _inspect(place, manifest, cache, progress, trust=True)
    bad = [check for check in checks if not check.verdict.good]
    if bad:
        faults = ", ".join(f"{check.name} {check.verdict.value}" for check in bad)
        raise ModelDamaged(
            f"model {place.name} in {place.folder} is not whole: {faults}. "
            + (f"Remove the folder and `razgovor models get {place.name}`." if place.ours else "Fill the folder again.")
        )
    if manifest is None and place.ours:
        _record_filled_by_hand(place, checks)
    found = {check.name: check.found for check in checks if check.found}
    return Model(
        name=place.name,
        folder=place.folder,
        format=place.format,
        languages=place.entry.languages if place.entry else (),
        sha256=place.format.weights_sha256(found),
        size_bytes=sum(fingerprint.size_bytes for fingerprint in found.values()),
        licence=place.entry.licence if place.entry else None,
        source=manifest.source if manifest else "folder",
        pinned=all(check.verdict is Verdict.PINNED for check in checks),
    )


def _inspect(
    place: Place, manifest: Manifest | None, cache: Path, progress: Progress, *, trust: bool
) -> tuple[FileCheck, ...]:
    memo = HashMemo(place.folder, cache=cache)
    entry = place.entry
    return inspect(
        place.folder,
        Expectation(
            format=place.format,
            requires=entry.requires if entry else (),
            manifest=manifest,
            pinned=entry.known_hashes if entry else lambda _file: frozenset(),
        ),
        lambda file: memo.fingerprint(file, trust=trust, progress=progress),
    )


def _record_filled_by_hand(place: Place, checks: tuple[FileCheck, ...]) -> None:
    with suppress(OSError):  # brought along by an image, read-only: then every start records anew
        write_manifest(place.folder, Manifest(model=place.name, source="folder", files=records(checks)))
