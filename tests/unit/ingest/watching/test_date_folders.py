from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.watching.date_folders import LayoutError, between, check, folders, last_days

_DAYS = st.dates(date(1990, 1, 1), date(2190, 1, 1))


def test_folders_of_the_last_days() -> None:
    days = last_days(date(2026, 3, 1), 3)
    assert folders("%Y%m%d", days) == ("20260301", "20260228", "20260227")
    assert folders("%Y/%m/%d", days[:1]) == ("2026/03/01",)
    assert folders("", days) == ("",)


@given(_DAYS, st.integers(1, 60))
def test_the_last_days_are_a_span_that_ends_today(today: date, days: int) -> None:
    found = last_days(today, days)
    assert sorted(found) == list(between(today - timedelta(days=days - 1), today))


@pytest.mark.parametrize("layout", ["", "%Y%m%d", "%y-%m-%d", "%Y/%m/%d", "records/%Y.%m.%d"])
def test_layouts_that_name_a_day_are_taken(layout: str) -> None:
    check(layout)


@pytest.mark.parametrize("layout", ["%Y%m", "x", "%Y%m%d/%H", "../%Y%m%d", "/%Y%m%d", "%Y%m%d/", "%c", "%Y//%m/%d"])
def test_others_are_refused(layout: str) -> None:
    with pytest.raises(LayoutError):
        check(layout)


@pytest.mark.parametrize("days", [-1, 3661])
def test_a_span_has_a_beginning_an_end_and_a_bound(days: int) -> None:
    with pytest.raises(LayoutError):
        between(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=days))
