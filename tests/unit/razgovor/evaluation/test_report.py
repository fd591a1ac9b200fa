from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from razgovor.evaluation import tables
from razgovor.evaluation.measures import EngineResult, failed, judge
from razgovor.evaluation.report import render
from razgovor.texts import Locale
from tests.unit.razgovor.evaluation.calls import reference, said, transcript, turn

HOSTILE = "<script>alert(1)</script>"
CALL = judge(
    f"{HOSTILE}.wav",
    transcript(turn(0, 1.0, "добрый тень"), turn(1, 8.0, "лишнее слово")),
    reference(said(0, "добрый день", 1.0, 2.0), said(1, "здравствуйте", 3.0, 4.0)),
)
BROKEN = failed("broken.wav", "invalid_header", reference(said(0, "раз", 1.0, 2.0)))
RESULTS = [EngineResult(name="base", engine="fw 1", calls=(CALL, BROKEN)), EngineResult(name=HOSTILE, calls=(CALL,))]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)
        assert not any(name in {"src", "onclick"} for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_the_report_is_one_whole_page_that_asks_nobody_for_anything(locale: Locale) -> None:
    page = render(RESULTS, locale)

    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "link" not in tags.seen
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert "default-src 'none'" in page


def test_each_words_fate_is_shown() -> None:
    page = " ".join(render(RESULTS, "ru").split())

    assert '<del>день</del><ins class="instead">тень</ins>' in page
    assert "<ins>лишнее</ins>" in page
    assert "invalid_header" in page
    assert "<del>раз</del>" in page


def test_the_figures_stand_in_sentences() -> None:
    page = render(RESULTS, "en")

    assert "Of 100 words that were said" in page
    assert "2 words were invented" in page


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_the_tables_name_calls_channels_and_sums(locale: Locale) -> None:
    console = Console(record=True, width=200)

    console.print(tables.of_calls(RESULTS[0], locale))
    console.print(tables.of_engines(RESULTS, locale))

    shown = console.export_text()
    assert "0 operator" in shown
    assert "1 customer" in shown
    assert HOSTILE in shown
    assert "invalid_header" in shown
    assert "100.0%" in shown
