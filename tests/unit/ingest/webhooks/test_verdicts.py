from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.webhooks.verdicts import (
    DELIVERED,
    EXPIRED,
    FIRST_PAUSE_S,
    JITTER,
    LASTS,
    LONGEST_PAUSE_S,
    PENDING,
    REFUSED,
    Answered,
    judge,
    pause_s,
    retry_after_s,
)

DAY_S = LASTS.total_seconds()
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SHARES = st.floats(0, 1)
FAILING = st.sampled_from([408, 429, 500, 502, 503, 504, 599, None])


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_taken_is_taken(code: int) -> None:
    assert judge(Answered(status_code=code), 1, DAY_S, 0.5).status == DELIVERED


@pytest.mark.parametrize("code", [100, 301, 302, 304, 400, 401, 403, 404, 405, 409, 410, 413, 422, 451])
def test_what_another_attempt_would_not_change_is_not_tried_again(code: int) -> None:
    assert judge(Answered(status_code=code, retry_after_s=1.0), 1, DAY_S, 0.5).status == REFUSED


def test_what_may_not_be_sent_is_not_tried_again() -> None:
    assert judge(Answered(fault="not_allowed:address", blocked=True), 1, DAY_S, 0.5).status == REFUSED


@given(FAILING, st.integers(1, 100), st.floats(1, DAY_S), SHARES)
def test_what_may_pass_is_tried_again_within_the_day(
    code: int | None, attempt: int, left_s: float, share: float
) -> None:
    verdict = judge(Answered(status_code=code), attempt, left_s, share)
    assert verdict.status == PENDING
    assert 0 < verdict.pause_s <= min(left_s, LONGEST_PAUSE_S * (1 + JITTER) + 1e-6)


@given(FAILING, st.integers(1, 100), st.floats(1, DAY_S), SHARES, st.floats(0, 2 * DAY_S))
def test_nobody_comes_earlier_than_he_was_asked_to(
    code: int | None, attempt: int, left_s: float, share: float, asked_s: float
) -> None:
    verdict = judge(Answered(status_code=code, retry_after_s=asked_s), attempt, left_s, share)
    if asked_s > left_s:
        assert verdict.status == EXPIRED
    else:
        assert verdict.status == PENDING
        assert verdict.pause_s >= asked_s


@given(st.integers(1, 60), SHARES)
def test_pauses_grow_threefold_up_to_two_hours(attempt: int, share: float) -> None:
    assert pause_s(1, 0.5) == FIRST_PAUSE_S
    assert pause_s(attempt, share) <= pause_s(attempt + 1, share) <= 3 * pause_s(attempt, share) + 1e-6
    assert pause_s(attempt, share) <= LONGEST_PAUSE_S * (1 + JITTER) + 1e-6


@given(st.lists(SHARES, min_size=60, max_size=60))
def test_a_dead_receiver_is_tried_for_a_day_and_not_longer(shares: list[float]) -> None:
    spent_s, attempts = 0.0, 0
    for attempt, share in enumerate(shares, start=1):
        attempts = attempt
        verdict = judge(Answered(fault="connect"), attempt, DAY_S - spent_s, share)
        if verdict.status == EXPIRED:
            break
        spent_s += verdict.pause_s
    else:
        pytest.fail("it never ends")
    assert spent_s == pytest.approx(DAY_S)
    assert 15 <= attempts <= 25


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("99999999999999999999", 999_999_999.0),
        ("Thu, 26 Nov 2026 12:05:00 GMT", 300.0),
        ("Thu, 26 Nov 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
    ],
)
def test_what_retry_after_asks_for(text: str | None, seconds: float | None) -> None:
    assert retry_after_s(text, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_is_an_error_of_ours(text: str) -> None:
    asked_s = retry_after_s(text, NOW)
    assert asked_s is None or asked_s >= 0
