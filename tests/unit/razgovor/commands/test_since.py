from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from razgovor.commands.since import moment

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T09:30", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026-11-20T09:30+03:00", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_text_names_a_moment(text: str, meant: datetime) -> None:
    assert moment(text, NOW) == meant


@pytest.mark.parametrize("text", ["", "yesterday", "2 h", "-1h", "1w", "9999999d"])
def test_other_texts_name_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment(text, NOW)
