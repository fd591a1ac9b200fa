"""Why jobs fail: the catalogue of schemas/reasons.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Texts by reason code and language: `catalogue()["no_audio"]["ru"]`."""
    return tomllib.loads(files("schemas").joinpath("reasons.toml").read_text(encoding="utf-8"))


class _Unfilled(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def reason_text(reason: str, details: Mapping[str, str], locale: str) -> str:
    """The reason for people, figures filled in; a code from a newer release stands for itself."""
    texts = catalogue().get(reason)
    if texts is None:
        return reason
    return texts.get(locale, texts["en"]).format_map(_Unfilled(details))


def all_texts(locale: str) -> dict[str, str]:
    """Every reason's text in a language, by its code, figures not filled in: for whoever fills them in elsewhere."""
    return {code: texts.get(locale, texts["en"]) for code, texts in catalogue().items()}
