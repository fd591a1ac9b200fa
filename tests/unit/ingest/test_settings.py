from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.settings import IngestSettings

REQUIRED: dict[str, Any] = {
    "bootstrap_servers": "127.0.0.1:9092",
    "store_url": "file:///store",
    "database_url": "postgresql:///razgovor",
}


@pytest.mark.parametrize(
    ("told", "bound"),
    [
        ({}, 2000),
        ({"slots": 1}, 20),
        ({"slots": 64}, 1280),
        ({"max_announced": 5}, 5),
        ({"slots": 64, "max_announced": 5}, 5),
    ],
)
def test_what_is_announced_is_bounded_by_the_slots_unless_told_otherwise(told: dict[str, Any], bound: int) -> None:
    assert IngestSettings(**REQUIRED, **told).announced_max == bound


@pytest.mark.parametrize("told", [{"slots": 0}, {"max_announced": 0}, {"upload_timeout_s": 43_201}])
def test_what_makes_no_sense_or_outlives_the_janitors_patience_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        IngestSettings(**REQUIRED, **told)
