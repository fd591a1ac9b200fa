from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.jobs import Cursor

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 7_000_000_000_000_000).map(lambda micros: EPOCH + timedelta(microseconds=micros))


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
    with pytest.raises(ValueError, match=r"cursor|int"):
        Cursor.decode(text)
