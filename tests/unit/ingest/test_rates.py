"""A minute's worth of requests: what a bucket lets through, and what a replica remembers of refusals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.adapters.memory_rates import MemoryRates
from services.ingest.rates import WINDOW_S, Rate, RateLimiter, Taken


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def us(self) -> int:
        return round(self.now_s * 1_000_000)


@given(st.integers(1, 3000), st.lists(st.floats(0, 90), max_size=30))
def test_at_once_as_many_as_the_limit_and_over_time_no_more_than_it_fills(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    rates, rate = MemoryRates(clock.us), Rate(limit)
    let_through = sum(rates.take("a", rate).allowed for _ in range(limit + 5))
    assert let_through == limit
    for pause_s in pauses:
        clock.now_s += pause_s
        let_through += sum(rates.take("a", rate).allowed for _ in range(5))
        # A whole step less than a microsecond is lost to rounding, so the bound is that of the rounded step.
        assert let_through <= limit + clock.us() // rate.step_us


def test_clients_have_buckets_of_their_own_and_a_refusal_takes_nothing() -> None:
    clock = Clock()
    rates, rate = MemoryRates(clock.us), Rate(2)
    assert [rates.take("a", rate).allowed for _ in range(9)] == [True, True, *[False] * 7]
    assert rates.take("b", rate).allowed
    clock.now_s += WINDOW_S / 2
    assert [rates.take("a", rate).allowed for _ in range(2)] == [True, False]


def test_what_was_taken_says_what_is_left_and_when_it_is_whole_again() -> None:
    rate = Rate(60)
    assert [Taken(allowed=True, ahead_us=us).remaining(rate) for us in (0, 1_000_000, 59_500_000, 60_000_000)] == [
        60,
        59,
        0,
        0,
    ]
    refused = Taken(allowed=False, ahead_us=59_500_000)
    assert (refused.reset_s(), refused.wait_s(rate)) == (60, 0.5)


def test_a_replica_asks_nobody_while_a_refusal_holds() -> None:
    clock = Clock()
    asked: list[str] = []

    class Counted(MemoryRates):
        def take(self, client_id: str, rate: Rate) -> Taken:
            asked.append(client_id)
            return super().take(client_id, rate)

    limiter, rate = RateLimiter(Counted(clock.us), lambda: clock.now_s), Rate(60)

    def ask() -> Taken:
        return limiter.refused("a", rate) or limiter.take("a", rate)

    assert [ask().allowed for _ in range(61)] == [*[True] * 60, False]
    clock.now_s += 0.75
    held = ask()
    assert (held.allowed, held.wait_s(rate), held.remaining(rate)) == (False, 0.25, 0)
    assert len(asked) == 61
    clock.now_s += 0.25
    assert ask().allowed
    assert limiter.refused("b", rate) is None
    assert limiter.refused("a", Rate(61)) is None
