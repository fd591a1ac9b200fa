"""What is pure of the page: which turn is heard, what an address means, how a text is filled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from tests.browser.modules import each
from tests.browser.world import World, served

MOMENTS = st.integers(0, 400).map(lambda tenths: tenths / 10)
SPANS = st.tuples(MOMENTS, st.integers(0, 100).map(lambda tenths: tenths / 10)).map(
    lambda span: {"start_s": span[0], "end_s": span[0] + span[1]}
)
DIALOGUES = st.lists(SPANS, max_size=30).map(lambda turns: sorted(turns, key=lambda turn: turn["start_s"]))


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One page for all examples, in Moscow."""
    context = browser.new_context(locale="ru-RU", timezone_id="Europe/Moscow")
    with served(World()) as world:
        page = context.new_page()
        page.goto(world.url)
        expect(page.get_by_label("Ключ доступа")).to_be_visible()
        yield page
        context.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=DIALOGUES, seconds=st.lists(MOMENTS, min_size=1, max_size=20))
def test_the_turns_that_are_heard_are_those_that_have_begun_and_not_ended(
    page: Page, turns: list[dict[str, float]], seconds: list[float]
) -> None:
    found = each(
        page, "timeline", "(all, [turns, at]) => new all.Timeline(turns).at(at)", [[turns, at] for at in seconds]
    )
    assert found == [
        [index for index, turn in enumerate(turns) if turn["start_s"] <= at < turn["end_s"]] for at in seconds
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=DIALOGUES, at=MOMENTS)
def test_a_word_that_is_heard_is_the_last_that_began_unless_it_has_ended(
    page: Page, words: list[dict[str, float]], at: float
) -> None:
    (found,) = each(page, "timeline", "(all, [words, at]) => all.wordAt(words, at)", [[words, at]])
    begun = [index for index, word in enumerate(words) if word["start_s"] <= at]
    assert found == (begun[-1] if begun and words[begun[-1]]["end_s"] > at else -1)


def test_the_operator_is_above_and_unknown_channels_stay_in_order(page: Page) -> None:
    rows: list[Any] = [
        [{"index": 0, "role": "customer"}, {"index": 1, "role": "operator"}],
        [{"index": 0, "role": "operator"}, {"index": 1, "role": "customer"}],
        [{"index": 0, "role": None}, {"index": 1, "role": None}],
        [{"index": 0, "role": None}],
    ]
    found = each(page, "timeline", "(all, rows) => all.topToBottom(rows).map((row) => row.index)", rows)
    assert found == [[1, 0], [0, 1], [0, 1], [0]]


def test_an_address_means_a_view_and_nothing_else(page: Page) -> None:
    job_id = "3f0b8f0e-6d3c-4c39-9a51-5f2f8f6c0a11"
    token = "A" * 43
    wanted: dict[str, Any] = {
        "": {"view": "calls", "filters": {}},
        "#/": {"view": "calls", "filters": {}},
        "#/?state=failed&q=%D0%B0%26": {"view": "calls", "filters": {"state": "failed", "q": "а&"}},
        f"#/calls/{job_id}": {"view": "call", "id": job_id},
        "#/calls/../../etc": {"view": "calls", "filters": {}},
        "#/calls/<img>": {"view": "calls", "filters": {}},
        f"#/sign-in/{token}": {"view": "sign-in", "link": token},
        "#/sign-in/": {"view": "calls", "filters": {}},
        "#nonsense": {"view": "calls", "filters": {}},
    }
    assert each(page, "routes", "(all, hash) => all.route(hash)", list(wanted)) == list(wanted.values())
    filters = [{"q": "а&b=c#", "state": "failed", "since": ""}, {}]
    assert each(page, "routes", "(all, value) => all.route(all.listAddress(value)).filters", filters) == [
        {"q": "а&b=c#", "state": "failed"},
        {},
    ]


def test_a_day_is_the_readers_own(page: Page) -> None:
    found = each(
        page,
        "filters",
        "(all, [day, later]) => all.midnight(day, later) ?? null",
        [["2026-01-31", 0], ["2026-01-31", 1], ["", 0], ["31.01.2026", 0], [None, 0]],
    )
    moscow = [datetime(2026, 1, 30, 21, tzinfo=UTC), datetime(2026, 1, 31, 21, tzinfo=UTC)]
    assert [datetime.fromisoformat(iso) for iso in found[:2]] == moscow
    assert found[2:] == [None, None, None]


def test_times_are_written_as_clocks_do(page: Page) -> None:
    seconds = {0: "0:00", 59.9: "0:59", 75.4: "1:15", 3675: "1:01:15", -1: "0:00", 36_000: "10:00:00"}
    assert each(page, "clock", "(all, value) => all.clock(value)", list(seconds)) == list(seconds.values())


def test_a_gap_without_a_value_shows_a_question_mark(page: Page) -> None:
    cases = [["{a} of {b}", {"a": 0, "b": "<b>"}], ["{a}", {}], ["{a", {"a": 1}], ["{constructor}", {}]]
    found = each(page, "texts", "(all, [text, values]) => all.filled(text, values)", cases)
    assert found == ["0 of <b>", "?", "{a", "?"]


@pytest.mark.parametrize(
    ("kept", "browsers", "locale"),
    [
        ("en", ["ru-RU"], "en"),
        (None, ["ru-RU", "en"], "ru"),
        (None, ["de", "ru"], "ru"),
        (None, ["de"], "en"),
        ("xx", [], "en"),
    ],
)
def test_the_language_is_the_one_chosen_else_the_browsers(
    page: Page, kept: str | None, browsers: list[str], locale: str
) -> None:
    assert each(page, "texts", "(all, [kept, browsers]) => all.wantedLocale(kept, browsers)", [[kept, browsers]]) == [
        locale
    ]


def test_the_loudest_fills_its_half_and_silence_stays_silent(page: Page) -> None:
    found = each(page, "waveform", "(all, peaks) => all.scaled(peaks)", [[0, 250, 500], [0, 0], [1, 0]])
    assert found[:2] == [[0, 0.5, 1], [0, 0]]
    assert max(found[2]) < 0.02


def test_keys_of_uploads_are_random(page: Page) -> None:
    found = each(page, "uploads", "(all) => all.randomKey()", list(range(100)))
    assert len(set(found)) == 100
    assert all(len(key) == 32 for key in found)
