"""Glossaries in the store, by client: added, listed, allowed for a model, removed. Used by the commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts import layout
from pipeline.contracts.glossary import Glossary, GlossaryCheck, is_glossary_id
from pipeline.errors import RazgovorError

_JSON: Final = "application/json"
_MAX_BYTES: Final = 64 << 10
_COMMENT: Final = "#"


class GlossaryRefused(RazgovorError):
    """A glossary that cannot be taken, found or used; says why, without its terms."""


@dataclass(frozen=True, slots=True, order=True)
class Passed:
    """A model, by the hash of its weights, and how it heard, by the hash of the parameters."""

    model_sha256: str
    parameters_sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A glossary on the shelf, and with what it passed its check."""

    glossary: Glossary
    passed: tuple[Passed, ...]


def read_terms(name: str, file: Path) -> Glossary:
    """A glossary out of a text file: a term a line; empty lines and lines that begin with # do not count.

    Raises:
        GlossaryRefused: It cannot be read, or is no glossary.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
        lines = data.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise GlossaryRefused(f"{file}: cannot be read") from error
    except UnicodeDecodeError as error:
        raise GlossaryRefused(f"{file}: not UTF-8") from error
    if len(data) > _MAX_BYTES:
        raise GlossaryRefused(f"{file}: too large")
    terms = tuple(term for line in lines if (term := line.strip()) and not term.startswith(_COMMENT))
    try:
        return Glossary(name=name, terms=terms)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise GlossaryRefused(f"{where}: {fault['msg'].removeprefix('Value error, ')}") from error


class Shelf:
    """The glossaries of one client.

    Args:
        store: Where they are kept.
        client_id: Whose they are; nobody else's calls are heard with them.
    """

    def __init__(self, store: BlobStore, client_id: str) -> None:
        self._store = store
        self._client_id = client_id

    def add(self, glossary: Glossary) -> str:
        """Keep it; its id. The same terms again are the same glossary."""
        key = layout.glossary_key(self._client_id, glossary.glossary_id)
        self._store.put(key, glossary.to_bytes(), media_type=_JSON)
        return glossary.glossary_id

    def find(self, glossary_id: str) -> Kept:
        """A glossary by its id.

        Raises:
            GlossaryRefused: There is none.
        """
        if not is_glossary_id(glossary_id):
            raise GlossaryRefused("a glossary's id is name@ and 12 hex digits, as `razgovor glossary add` prints it")
        try:
            data = self._store.read(layout.glossary_key(self._client_id, glossary_id))
        except BlobNotFound as error:
            raise GlossaryRefused(f"the client has no glossary {glossary_id}") from error
        glossary = Glossary.from_bytes(data)
        if glossary is None or glossary.glossary_id != glossary_id:
            raise GlossaryRefused(f"what is kept as {glossary_id} is not what was added")
        return Kept(glossary, tuple(sorted(self._passed(glossary_id))))

    def all(self) -> Iterator[Kept]:
        """All of the client's, by id."""
        prefix = layout.glossaries_prefix(self._client_id)
        ids = {info.key.removeprefix(prefix).split("/")[0] for info in self._store.list(prefix)}
        yield from (self.find(each) for each in sorted(ids) if is_glossary_id(each))

    def allow(self, check: GlossaryCheck) -> None:
        """Allow it for the model and the parameters that it was checked with.

        Raises:
            GlossaryRefused: It made more errors, or words where nobody speaks.
        """
        if check.refusal is not None:
            raise GlossaryRefused(f"{check.glossary_id} is refused: {check.refusal}")
        key = layout.glossary_check_key(self._client_id, check.glossary_id, check.model_sha256, check.parameters_sha256)
        self._store.put(key, check.to_bytes(), media_type=_JSON)

    def remove(self, glossary_id: str) -> None:
        """Delete it and its checks; the glossary first, so that none is left that nobody allowed.

        Raises:
            GlossaryRefused: There is none.
        """
        self.find(glossary_id)
        self._store.delete(layout.glossary_key(self._client_id, glossary_id))
        for key in self._checks(glossary_id):
            self._store.delete(key)

    def _checks(self, glossary_id: str) -> list[str]:
        """Keys of all its checks, those of older releases too."""
        return [info.key for info in self._store.list(layout.glossary_checks_prefix(self._client_id, glossary_id))]

    def _passed(self, glossary_id: str) -> Iterator[Passed]:
        """Those that still count: older releases did not note the parameters."""
        prefix = layout.glossary_checks_prefix(self._client_id, glossary_id)
        for key in self._checks(glossary_id):
            model_sha256, _, parameters_sha256 = key.removeprefix(prefix).partition("-")
            if parameters_sha256:
                yield Passed(model_sha256, parameters_sha256)
