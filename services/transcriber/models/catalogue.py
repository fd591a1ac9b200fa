"""What can be had: models.toml as frozen values. Read by `library`; a source of another kind gets a class here."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.transcriber.models.formats import FORMAT_NAMES, WHISPER, Format, Precision, format_of

_CATALOGUE_FILE: Final = Path(__file__).with_name("models.toml")
_PARAMETER_BYTES: Final = {"float32": 4, "float16": 2, "int8": 1}

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[a-z_]+\.(bin|json|txt)$")]


class _Entry(BaseModel):
    """A frozen part of the catalogue that knows exactly its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Part(_Entry):
    """A member of a package's wheel."""

    package: str
    path: str


class PackagedFile(_Entry):
    """A file of the model, joined from parts in their order; size and hash are those of the whole."""

    name: FileName
    size_bytes: int = Field(gt=0)
    sha256: Sha256
    parts: tuple[Part, ...] = Field(min_length=1)


class Package(_Entry):
    """A wheel on the package index."""

    name: str
    version: str
    size_bytes: int = Field(gt=0)
    sha256: Sha256


class FolderSource(_Entry):
    """A folder with the files: relative to the cache, or absolute and then read where it is."""

    kind: Literal["folder"]
    path: Path


class PackagesSource(_Entry):
    """Wheels that carry the files as data."""

    kind: Literal["packages"]
    packages: tuple[Package, ...] = Field(min_length=1)
    files: tuple[PackagedFile, ...] = Field(min_length=1)

    @property
    def size_bytes(self) -> int:
        """What lies on the disk in the end."""
        return sum(file.size_bytes for file in self.files)


class HubSource(_Entry):
    """A repository on the Hugging Face hub."""

    kind: Literal["hub"]
    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str | None = Field(default=None, description="A commit; none: the newest, recorded in the manifest.")


Source = Annotated[FolderSource | PackagesSource | HubSource, Field(discriminator="kind")]


class Entry(_Entry):
    """One model of the catalogue."""

    format_name: str = Field(default=WHISPER.name, alias="format", description="Which files it is made of.")
    precision: Precision = Field(default="float16", description="Of the stored weights.")
    parameters_millions: int = Field(gt=0, description="Published, rounded.")
    licence: str
    languages: tuple[str, ...] = Field(default=(), description="ISO 639-1; none: many.")
    requires: tuple[FileName, ...] = Field(
        default=(), description="Files it needs beyond those that every model needs."
    )
    sources: tuple[Source, ...] = Field(min_length=1)

    @field_validator("format_name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in FORMAT_NAMES:
            raise ValueError(f"there is no format {name!r}")
        return name

    @property
    def format(self) -> Format:
        """Which files it is made of."""
        return format_of(self.format_name, self.precision)

    @property
    def approximate_bytes(self) -> int:
        """About what the weights take on the disk."""
        return self.parameters_millions * 1_000_000 * _PARAMETER_BYTES[self.precision]

    @property
    def known_bytes(self) -> int | None:
        """What the model takes on the disk, where a source knows it exactly."""
        return next((source.size_bytes for source in self.sources if isinstance(source, PackagesSource)), None)

    def known_hashes(self, file_name: str) -> frozenset[str]:
        """The sha256 that this file has in the sources that know it."""
        return frozenset(
            file.sha256
            for source in self.sources
            if isinstance(source, PackagesSource)
            for file in source.files
            if file.name == file_name
        )


class Catalogue(_Entry):
    """All models, by the name that users know."""

    aliases: dict[str, str] = Field(default_factory=dict)
    models: dict[str, Entry]

    def canonical(self, name: str) -> str:
        """The name itself, or what the alias stands for."""
        return self.aliases.get(name, name)


def read_catalogue(path: Path) -> Catalogue:
    """Read a catalogue from a TOML file."""
    return Catalogue.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue that comes with the package."""
    return read_catalogue(_CATALOGUE_FILE)
