"""The page's files, read once: each with its type and its tag. Called by `page`.

What a browser may ask for is in this list; a name is never a path.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from pipeline.contracts.reasons import all_texts
from services.ingest.clients import LOCALES

_ROOT: Final = files("services.ingest.page")
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
FOLDERS: Final = ("css", "js", "vendor", "images")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page."""

    body: bytes
    media_type: str

    @property
    def etag(self) -> str:
        """Its hash, as HTTP writes it."""
        return f'"{hashlib.sha256(self.body).hexdigest()}"'


def index() -> str:
    """The page itself, with `{nonce}` where the answer's own has to stand."""
    return _ROOT.joinpath("index.html").read_text(encoding="utf-8")


def load() -> dict[str, Asset]:
    """All files by their name under the page's address: `js/app.js`, `texts/ru.json`."""
    found = {name: Asset(file.read_bytes(), _TYPES[name.rpartition(".")[2]]) for name, file in _listed()}
    for locale in LOCALES:
        text = json.dumps(texts(locale), ensure_ascii=False, sort_keys=True)
        found[f"texts/{locale}.json"] = Asset(text.encode(), "application/json")
    return found


def texts(locale: str) -> dict[str, str]:
    """What the page says in a language: its own texts, and why jobs fail, as `reason.CODE`."""
    own = tomllib.loads(_ROOT.joinpath("texts", f"{locale}.toml").read_text(encoding="utf-8"))
    return dict(_flat(own)) | {f"reason.{code}": text for code, text in all_texts(locale).items()}


def _flat(table: dict[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def _listed() -> Iterator[tuple[str, Traversable]]:
    for folder in FOLDERS:
        for file in _ROOT.joinpath(folder).iterdir():
            if file.name.rpartition(".")[2] in _TYPES:
                yield f"{folder}/{file.name}", file
