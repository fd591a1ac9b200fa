from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.jobs import Cursor

MOMENTS = st.datetimes(
    min_value=datetime(1971, 1, 1),
    max_value=datetime(2199, 1, 1),
    timezones=st.just(UTC),  # noqa: DTZ001  hypothesis adds the zone
)


@given(MOMENTS, st.uuids().map(str))
def test_a_cursor_survives_its_way_through_a_url(accepted_at: datetime, job_id: str) -> None:
    cursor = Cursor(accepted_at, job_id)
    assert Cursor.decode(cursor.encode()) == cursor


@given(st.text(max_size=50))
def test_any_text_is_a_cursor_or_a_value_error(text: str) -> None:
    try:
        assert "\0" not in Cursor.decode(text).job_id
    except ValueError:
        return


@pytest.mark.parametrize("text", ["", "ff", "!!", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5L3g"])
def test_what_is_no_cursor_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        Cursor.decode(text)
