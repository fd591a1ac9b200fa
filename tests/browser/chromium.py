"""Debian's Chromium, or another one of its kind that is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW: Final = "no Chromium here: `make browser` installs it (as root, by apt), or name one in RAZGOVOR_BROWSER"


def executable() -> str | None:
    """Where it is; None: it is not."""
    named = os.environ.get("RAZGOVOR_BROWSER")
    found = [named] if named else [path for name in NAMES if (path := shutil.which(name)) is not None]
    return found[0] if found else None


def is_required() -> bool:
    """Whether a test may not be left out."""
    return os.environ.get("RAZGOVOR_REQUIRE_BROWSER", "") not in {"", "0"}


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, without a window; skips the test where there is none, or fails it where one is required."""
    path = executable()
    if path is None:
        if is_required():
            pytest.fail(HOW, pytrace=False)
        pytest.skip(HOW)
    with sync_playwright() as playwright:
        # As root, which CI is, Chromium runs without its sandbox or not at all; it meets only what we serve.
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield browser
        browser.close()


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
