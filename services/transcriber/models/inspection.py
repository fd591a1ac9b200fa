"""Whether a folder holds the model that it should: every file there, and the one it was. Called by `library` and `fetching`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from services.transcriber.models.formats import Format
from services.transcriber.models.hashes import Fingerprint
from services.transcriber.models.manifest import FileRecord, Manifest


class Verdict(Enum):
    """What inspection says of one file."""

    PINNED = "as pinned in the catalogue"
    RECORDED = "as recorded in the manifest"
    FIRST_SEEN = "seen for the first time"
    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "not in the manifest"

    @property
    def good(self) -> bool:
        """Whether the file may be used."""
        return self in {Verdict.PINNED, Verdict.RECORDED, Verdict.FIRST_SEEN}


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file of a model; size and hash are None where it is missing."""

    name: str
    verdict: Verdict
    found: Fingerprint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is known beforehand.

    Attributes:
        format: Which files make a model of its kind.
        requires: Files needed beyond those.
        manifest: What was recorded at the get.
        pinned: sha256 of files as the catalogue has them for the manifest's source; empty where it knows none.
    """

    format: Format
    requires: tuple[str, ...] = ()
    manifest: Manifest | None = None
    pinned: Callable[[str], frozenset[str]] = lambda _name: frozenset()


def inspect(folder: Path, expectation: Expectation, fingerprint: Callable[[str], Fingerprint]) -> tuple[FileCheck, ...]:
    """Look at every file that the engine reads.

    Args:
        folder: The model's folder.
        expectation: What is known beforehand.
        fingerprint: Gives size and hash of a file of the folder.
    """
    present = expectation.format.files_in(folder)
    promised = tuple(expectation.manifest.files) if expectation.manifest else ()
    absent = {*expectation.requires, *promised}.difference(present)
    # A promised file that is gone is named as it was promised, not by the pattern that it matched.
    missing = sorted({*absent, *expectation.format.lacks((*present, *promised))})
    return (
        *(_check(name, fingerprint(name), expectation) for name in present),
        *(FileCheck(name, Verdict.MISSING) for name in missing),
    )


def records(checks: Iterable[FileCheck]) -> dict[str, FileRecord]:
    """What a manifest records of files that are there."""
    return {
        check.name: FileRecord(size_bytes=check.found.size_bytes, sha256=check.found.sha256)
        for check in checks
        if check.found
    }


def _check(name: str, found: Fingerprint, expectation: Expectation) -> FileCheck:
    return FileCheck(name, _verdict(name, found, expectation), found)


def _verdict(name: str, found: Fingerprint, expectation: Expectation) -> Verdict:
    pinned = expectation.pinned(name)
    manifest = expectation.manifest
    if found.size_bytes == 0:
        return Verdict.CHANGED
    if manifest is None:
        return Verdict.PINNED if found.sha256 in pinned else Verdict.FIRST_SEEN
    record = manifest.files.get(name)
    if record is None:
        return Verdict.UNEXPECTED
    if record != FileRecord(size_bytes=found.size_bytes, sha256=found.sha256):
        return Verdict.CHANGED
    if found.sha256 in pinned:
        return Verdict.PINNED
    # Packages are pinned byte by byte: a manifest that promises other bytes was written by somebody else.
    return Verdict.CHANGED if manifest.source == "packages" and pinned else Verdict.RECORDED
