"""Which files are to be transcribed, and under which names their results lie."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

#: What a folder is searched for; a file named outright is taken whatever its name.
EXTENSIONS: Final = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".aac", ".amr", ".gsm", ".wave"}
)
#: And this too, where somebody says how samples without a header are coded.
HEADERLESS_EXTENSIONS: Final = frozenset({".alaw", ".al", ".ulaw", ".ul", ".pcma", ".pcmu", ".g711a", ".g711u", ".raw"})
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Recording:
    """A file to transcribe.

    Attributes:
        path: Where it lies.
        name: Its path relative to what was named on the command line, with `/`.
        stem: `name` without its extension, or with it where two stems are equal: results are `<stem>.<format>`.
    """

    path: Path
    name: str
    stem: str


def find(sources: Sequence[Path], *, headerless: bool = False) -> list[Recording]:
    """Recordings in files and folders, in the order of names.

    Args:
        sources: Files and folders.
        headerless: Whether files that hold nothing but samples are looked for too.

    Raises:
        FileNotFoundError: A source is not there.
    """
    extensions = EXTENSIONS | HEADERLESS_EXTENSIONS if headerless else EXTENSIONS
    named = dict(_named(sources, extensions))
    stems = Counter(_without_extension(name) for name in named)
    return [
        Recording(path, name, name if stems[_without_extension(name)] > 1 else _without_extension(name))
        for name, path in sorted(named.items())
    ]


def _named(sources: Sequence[Path], extensions: frozenset[str]) -> Iterable[tuple[str, Path]]:
    taken: set[str] = set()
    for source in sources:
        if not source.exists():
            raise FileNotFoundError(source)
        # Two folders on one command line may hold the same names: then the folder's own name goes in front.
        for path in _recordings_below(source, extensions):
            name = path.relative_to(source if source.is_dir() else source.parent).as_posix()
            if name in taken:
                name = f"{path.parent.name}/{path.name}"
            taken.add(name)
            yield name, path


def _recordings_below(source: Path, extensions: frozenset[str]) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(path for path in source.rglob("*") if path.suffix.lower() in extensions and path.is_file())


def _without_extension(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
