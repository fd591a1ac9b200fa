"""The topics as schemas/topics.yaml names them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml


@cache
def names() -> tuple[str, ...]:
    """Every topic of the system, DLQs too."""
    return tuple(yaml.safe_load(files("schemas").joinpath("topics.yaml").read_text(encoding="utf-8")))
