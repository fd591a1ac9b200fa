from __future__ import annotations

import pytest

from pipeline.errors import Transient
from services.ingest.readiness import RecentCheck


def test_an_answer_holds_for_a_while_good_or_bad() -> None:
    now_s, asked, away = [0.0], [0], [False]

    def check() -> None:
        asked[0] += 1
        if away[0]:
            raise Transient("away")

    recent = RecentCheck(check, 5.0, lambda: now_s[0])
    recent()
    away[0] = True
    now_s[0] = 4.9
    recent()
    assert asked == [1]
    now_s[0] = 5.0
    for _ in range(3):
        with pytest.raises(Transient):
            recent()
    assert asked == [2]
    away[0] = False
    now_s[0] = 10.0
    recent()
    assert asked == [3]
