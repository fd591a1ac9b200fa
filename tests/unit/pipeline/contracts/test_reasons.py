from __future__ import annotations

import re
from pathlib import Path

from pipeline.contracts import reasons


def test_there_are_at_most_30_and_none_is_unknown() -> None:
    assert len(reasons.catalogue()) <= 30
    assert not any("unknown" in code for code in reasons.catalogue())


def test_every_reason_speaks_both_languages_and_asks_for_the_same_figures() -> None:
    for texts in reasons.catalogue().values():
        assert set(texts) == {"en", "ru"}
        assert set(re.findall(r"{(\w+)}", texts["en"])) == set(re.findall(r"{(\w+)}", texts["ru"]))


def test_figures_are_filled_in_and_a_missing_one_does_no_harm() -> None:
    assert "14400" in reasons.reason_text("too_long", {"limit_s": "14400"}, "ru")
    assert "?" in reasons.reason_text("too_long", {}, "en")
    assert reasons.reason_text("of_a_newer_release", {}, "ru") == "of_a_newer_release"


def test_every_reason_that_the_code_gives_is_in_the_catalogue() -> None:
    root = Path(reasons.__file__).parents[2]
    given = {
        code
        for folder in ("pipeline", "services")
        for path in (root / folder).rglob("*.py")
        for code in re.findall(r'CallFault\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert given
    assert given <= set(reasons.catalogue())
