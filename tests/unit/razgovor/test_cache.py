"""Where the user's cache lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from razgovor.cache import cache_folder


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"RAZGOVOR_CACHE": "/srv/models", "XDG_CACHE_HOME": "/xdg"}, Path("/srv/models")),
        ({"RAZGOVOR_CACHE": "~/models"}, Path.home() / "models"),
        ({"XDG_CACHE_HOME": "/xdg"}, Path("/xdg/razgovor")),
        ({"RAZGOVOR_CACHE": "", "XDG_CACHE_HOME": ""}, Path.home() / ".cache/razgovor"),
        ({"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache/razgovor"),
        ({}, Path.home() / ".cache/razgovor"),
    ],
)
def test_the_nearest_setting_decides(environment: dict[str, str], folder: Path) -> None:
    assert cache_folder(environment) == folder


def test_a_relative_setting_counts_from_here() -> None:
    assert cache_folder({"RAZGOVOR_CACHE": "here"}) == Path.cwd() / "here"
