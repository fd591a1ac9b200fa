"""What a recording reserves, and what goes beyond a quota."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.clients import Quota
from services.ingest.problems import QUOTA_EXCEEDED, Problem
from services.ingest.quotas import MS_PER_MINUTE, Used, check, reserved_ms
from services.ingest.submissions import StoredAudio

DAY_ENDS = datetime(2026, 1, 31, tzinfo=UTC)
MONTH_ENDS = datetime(2026, 2, 1, tzinfo=UTC)


def audio(size_bytes: int, declared_duration_ms: int | None) -> StoredAudio:
    return StoredAudio(
        key="k", sha256="s", size_bytes=size_bytes, media_type="audio/wav", declared_duration_ms=declared_duration_ms
    )


def used(day_ms: int, month_ms: int) -> Used:
    return Used(day_ms=day_ms, month_ms=month_ms, day_ends_at=DAY_ENDS, month_ends_at=MONTH_ENDS)


@pytest.mark.parametrize(
    ("size_bytes", "declared_ms", "reserves_ms"),
    [
        (960_000, 60_000, 60_000),
        (1_650, None, 1_000),
        (1_650, 0, 1_000),
        (1_650, -5, 1_000),
        (5_000, 2**40, 10_000),  # a header that claims 35 years
    ],
)
def test_a_recording_reserves_what_it_declares_as_far_as_its_size_lets_it(
    size_bytes: int, declared_ms: int | None, reserves_ms: int
) -> None:
    assert reserved_ms(audio(size_bytes, declared_ms)) == reserves_ms


@given(
    st.none() | st.integers(1, 100),
    st.none() | st.integers(1, 100),
    st.integers(0, 10**7),
    st.integers(0, 10**7),
    st.integers(0, 10**7),
)
def test_what_is_let_through_stays_within_every_limit(
    daily: int | None, monthly: int | None, day_ms: int, month_ms: int, wanted_ms: int
) -> None:
    fits = all(
        limit is None or spent + wanted_ms <= limit * MS_PER_MINUTE
        for limit, spent in ((daily, day_ms), (monthly, month_ms))
    )
    expected = nullcontext() if fits else pytest.raises(Problem, check=lambda refusal: refusal.kind == QUOTA_EXCEEDED)
    with expected:
        check(Quota(daily_minutes=daily, monthly_minutes=monthly), used(day_ms, month_ms), wanted_ms)


def test_a_refusal_names_the_limit_what_is_used_of_it_and_when_it_begins_anew() -> None:
    with pytest.raises(Problem) as caught:
        check(Quota(monthly_minutes=10), used(0, 9 * MS_PER_MINUTE + 1), MS_PER_MINUTE)
    assert caught.value.facts == {
        "period": "month",
        "limit_minutes": 10,
        "used_minutes": 9.0,
        "wanted_minutes": 1.0,
        "ends_at": MONTH_ENDS.isoformat(),
    }
