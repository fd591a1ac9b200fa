from __future__ import annotations

from services.transcriber.intake.patience import Patience


def test_a_call_is_left_alone_until_nothing_has_changed_for_a_while() -> None:
    now_s = [100.0]
    patience = Patience(15.0, lambda: now_s[0])
    one, two = frozenset({"start-1"}), frozenset({"start-1", "start-1.alive-1"})

    assert patience.left_s("a/1", one) == 15.0
    now_s[0] += 10
    assert patience.left_s("a/1", one) == 5.0
    assert patience.left_s("a/1", two) == 15.0
    now_s[0] += 14
    assert patience.left_s("a/1", two) == 1.0
    now_s[0] += 1
    assert patience.left_s("a/1", two) == 0.0
    assert patience.left_s("b/1", one) == 15.0


def test_what_is_forgotten_is_watched_anew() -> None:
    now_s = [0.0]
    patience = Patience(15.0, lambda: now_s[0])
    signs = frozenset({"start-1"})
    patience.left_s("a/1", signs)
    now_s[0] += 20
    patience.forget("a/1")

    assert patience.left_s("a/1", signs) == 15.0
