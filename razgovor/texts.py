"""What the command line says to people, in their language: texts.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

Locale = Literal["ru", "en"]


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Texts by locale and name."""
    return tomllib.loads(files("razgovor").joinpath("texts.toml").read_text(encoding="utf-8"))


def text(name: str, locale: Locale, **values: str | float) -> str:
    """The text of this name, filled in."""
    return catalogue()[locale][name].format(**values)
