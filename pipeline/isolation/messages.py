"""What parent and child say to each other, pickled by `multiprocessing.connection`: pairs of a request's number and one of
these (or the request itself).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.errors import RazgovorError
from pipeline.isolation.limits import Limits


@dataclass(frozen=True, slots=True)
class Setup:
    """Parent to child, once: what to build, how much it may take, how many requests it serves at once."""

    factory: Callable[[], Callable[[Any], Any]]
    limits: Limits
    concurrency: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """Child to parent: the request's result; None says that the factory has returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Child to parent: one of our own errors, to be raised again as it is."""

    error: RazgovorError


@dataclass(frozen=True, slots=True)
class Failure:
    """Child to parent: an unforeseen exception, by its type only."""

    type_name: str


Reply = Answer | Fault | Failure
