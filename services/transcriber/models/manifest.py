"""What a model's folder promised to hold when it was got: manifest.json beside the files, so that it travels with them.

Written by `fetching` at a get and by `library` when it meets a folder that somebody filled by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.transcriber.models.errors import ModelDamaged
from services.transcriber.models.storage import write_private_file

MANIFEST_NAME: Final = "manifest.json"
SourceKind = Literal["folder", "packages", "hub"]


class FileRecord(BaseModel):
    """A file as it was recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """The promise.

    Attributes:
        source: `folder`, `packages` or `hub`: where the files came from.
        revision: Which of the source: the hub's commit, the packages' versions; None where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    manifest_schema: Literal["razgovor.model/1"] = Field(default="razgovor.model/1", alias="schema")
    model: str
    source: SourceKind
    revision: str | None = None
    files: dict[str, FileRecord]


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's manifest, or None if it has none.

    Raises:
        ModelDamaged: There is one that nobody can read.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ModelDamaged(
            f"{path} cannot be read as a model's manifest; remove the folder and get the model again"
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest beside the files."""
    write_private_file(folder / MANIFEST_NAME, manifest.model_dump_json(indent=2, by_alias=True) + "\n")
