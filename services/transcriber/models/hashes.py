"""sha256 of files, computed once: the memo keeps what was computed, for as long as the file was not touched since.

Used by `inspection`. The change time tells: unlike the modification time nobody can set it back.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from services.transcriber.models.progress import Progress
from services.transcriber.models.storage import make_private_folder, write_private_file

CHUNK_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Size and sha256 of a file."""

    size_bytes: int
    sha256: str


class _Remembered(BaseModel):
    model_config = ConfigDict(frozen=True)

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    sha256: str


class _Memo(BaseModel):
    model_config = ConfigDict(frozen=True)

    files: dict[str, _Remembered] = {}


def hash_file(path: Path, *, stage: str, progress: Progress) -> Fingerprint:
    """Read a file through."""
    digest = hashlib.sha256()
    size_bytes = 0
    total_bytes = path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            progress(stage, size_bytes, total_bytes)
    return Fingerprint(size_bytes, digest.hexdigest())


class HashMemo:
    """Fingerprints of one folder's files, kept under `cache`; a cache that can't be written only costs time."""

    def __init__(self, folder: Path, *, cache: Path) -> None:
        key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]
        self._folder = folder
        self._path = cache / "hashes" / f"{key}.json"

    def fingerprint(self, name: str, *, trust: bool, progress: Progress) -> Fingerprint:
        """The fingerprint of a file of the folder.

        Args:
            name: The file's name.
            trust: Whether a remembered fingerprint of the untouched file will do; otherwise it is read through.
            progress: Told about reading.
        """
        path = self._folder / name
        before = path.stat()
        memo = self._load()
        known = memo.files.get(name)
        if (
            trust
            and known
            and (known.size_bytes, known.mtime_ns, known.ctime_ns)
            == (
                before.st_size,
                before.st_mtime_ns,
                before.st_ctime_ns,
            )
        ):
            return Fingerprint(known.size_bytes, known.sha256)
        found = hash_file(path, stage=f"checking {name}", progress=progress)
        remembered = _Remembered(
            size_bytes=found.size_bytes,
            mtime_ns=before.st_mtime_ns,
            ctime_ns=before.st_ctime_ns,
            sha256=found.sha256,
        )
        self._save(_Memo(files={**memo.files, name: remembered}))
        return found

    def _load(self) -> _Memo:
        try:
            return _Memo.model_validate_json(self._path.read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            return _Memo()

    def _save(self, memo: _Memo) -> None:
        with suppress(OSError):
            make_private_folder(self._path.parent)
            write_private_file(self._path, memo.model_dump_json())
