"""A real browser before an ingest of fakes. What the page's own code or policy complains about fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser import chromium
from tests.browser.world import World, served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.executable()
    if path is None:
        if chromium.is_required():
            pytest.fail(chromium.HOW, pytrace=False)
        pytest.skip(chromium.HOW)
    with sync_playwright() as playwright:
        # As root, which CI is, Chromium runs without its sandbox or not at all; it meets only what we serve.
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield browser
        browser.close()


@pytest.fixture
def world() -> Iterator[World]:
    with served(World()) as world:
        yield world


def complaints_of(page: Page) -> list[str]:
    """What goes wrong in a page, as it goes wrong: exceptions, refusals of the policy."""
    found: list[str] = []

    def said(message: ConsoleMessage) -> None:
        # An answer of 401 or 404 is logged by the browser itself, and is no complaint.
        if message.type == "error" and "Failed to load resource" not in message.text:
            found.append(message.text)

    page.on("console", said)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="ru-RU", viewport={"width": 1100, "height": 800})
    context.set_default_timeout(5_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    complaints = complaints_of(page)
    yield page
    assert complaints == []


@pytest.fixture
def inside(page: Page, world: World) -> Page:
    """The page after signing in by a link."""
    page.goto(world.link())
    page.wait_for_selector(".drop")
    return page
