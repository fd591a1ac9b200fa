from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.audio import Probe
from pipeline.isolation import ChildCrashed
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from services.ingest.metered import counting_crashes


def test_a_child_that_died_over_a_file_is_counted() -> None:
    metrics = Metrics()

    def dies(_path: Path) -> Probe:
        raise ChildCrashed(-11)

    with pytest.raises(ChildCrashed):
        counting_crashes(dies, metrics)(Path("a"))
    assert metrics.value(families.CHILD_CRASHES, child="probe") == 1
