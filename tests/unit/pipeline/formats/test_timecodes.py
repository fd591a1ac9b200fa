from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.formats.timecodes import clock, milliseconds, subtitle_time, zone


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "00:00"), (0, "00:00"), (59.9994, "00:59"), (59.9996, "01:00"), (84.2, "01:24"), (3600, "1:00:00")],
)
def test_times_read_as_on_a_player(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_in_a_call_of_hours_every_time_has_them() -> None:
    assert clock(84.2, hours=True) == "0:01:24"
    assert clock(360_000.0) == "100:00:00"


def test_subtitle_times_have_hours_and_milliseconds() -> None:
    assert subtitle_time(milliseconds(3_661.0456), ",") == "01:01:01,046"
    assert subtitle_time(milliseconds(360_000.0), ".") == "100:00:00.000"


@pytest.mark.parametrize(
    ("offset", "text"), [(3, "UTC+03:00"), (-9.5, "UTC-09:30"), (0, "UTC+00:00"), (5.75, "UTC+05:45")]
)
def test_the_zone_is_the_offset_that_was_given(offset: float, text: str) -> None:
    assert zone(datetime(2026, 3, 14, tzinfo=timezone(timedelta(hours=offset)))) == text
    assert zone(datetime(2026, 3, 14, tzinfo=UTC)) == "UTC+00:00"
