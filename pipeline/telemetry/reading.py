"""Reads what an endpoint of ours (or anybody's) shows: for benches and rigs that look at a running service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Reading:
    """One number: `name` as it is shown, with `_total`, `_sum` or the like."""

    name: str
    labels: Mapping[str, str]
    value: float


def readings(text: str) -> list[Reading]:
    """All numbers of an exposition.

    Raises:
        ValueError: It is none.
    """
    return [
        Reading(sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
