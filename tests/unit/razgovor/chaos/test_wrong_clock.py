from __future__ import annotations

import pytest

from razgovor.chaos.wrong_clock import offset_now_s


def test_a_clock_that_is_off_stays_off() -> None:
    assert {offset_now_s(-3600.0, 0.0, at_s) for at_s in (0.0, 1.5, 1e6)} == {-3600.0}


@pytest.mark.parametrize(("at_s", "off_s"), [(0.5, 3600.0), (2.5, 0.0), (4.5, 3600.0)])
def test_a_clock_that_jumps_goes_there_and_back(at_s: float, off_s: float) -> None:
    assert offset_now_s(3600.0, 2.0, at_s) == off_s
