"""A real browser before an ingest of fakes. What the page's own code or policy complains about fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium
from tests.browser.world import World, served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.launched() as browser:
        yield browser


@pytest.fixture
def world() -> Iterator[World]:
    with served(World()) as world:
        yield world


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="ru-RU", viewport={"width": 1100, "height": 800})
    context.set_default_timeout(5_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    complaints = chromium.complaints_of(page)
    yield page
    assert complaints == []


@pytest.fixture
def inside(page: Page, world: World) -> Page:
    """The page after signing in by a link."""
    page.goto(world.link())
    page.wait_for_selector(".drop")
    return page
