"""`make pictures`: the pictures of the page in docs/. The sample calls with their known texts, over an ingest of fakes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from rich.progress import track

from pipeline.audio.probe import probe
from pipeline.testing.waiting import eventually
from razgovor.demo import samples
from razgovor.demo.samples import Sample
from tests.browser import chromium
from tests.browser.world import World, served

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
DESK: Final[ViewportSize] = {"width": 1100, "height": 780}
PHONE: Final[ViewportSize] = {"width": 390, "height": 780}
PEOPLE: Final = (
    ("Анна К.", "inbound", "+7 900 000-00-01"),
    ("Пётр М.", "outbound", "+7 900 000-00-02"),
    ("Ольга В.", "inbound", "+7 900 000-00-03"),
)
#: Whose dialogue is shown, and from which moment it plays.
SHOWN: Final = ("clinic.wav", 14.0)


def _submitted(world: World, sample: Sample, number: int) -> str:
    operator, direction, customer_number = PEOPLE[number % len(PEOPLE)]
    data = (samples.folder() / sample.file).read_bytes()
    return world.submitted(
        sample.file,
        data,
        operator=operator,
        direction=direction,
        customer_number=customer_number,
        started_at=f"2026-01-31T{9 + number:02}:{number * 17 % 60:02}:00+03:00",
    )


def _fill(world: World) -> str:
    """Put the sample calls into the world; the id of the one to be shown."""
    shown = ""
    calls = [sample for sample in samples.load() if sample.kind in {"call", "broken"}]
    for number, sample in enumerate(sorted(calls, key=lambda sample: sample.file == SHOWN[0])):
        job_id = _submitted(world, sample, number)
        turns = [
            (turn.channel, turn.start, turn.end, turn.text)
            for turn in sample.turns
            if turn.start is not None and turn.end is not None
        ]
        if sample.kind == "broken":
            world.becomes(job_id, "failed", "invalid_header", found="0 Hz")
        elif number % 3 == 1:
            world.becomes(job_id, "transcribing")
        else:
            world.completes(job_id, turns, unsure=0.06)
        shown = job_id if sample.file == SHOWN[0] else shown
    return shown


def _page(browser: Browser, locale: str, size: ViewportSize, scheme: str = "light") -> Page:
    context = browser.new_context(
        locale=locale,
        viewport=size,
        timezone_id="Europe/Moscow",
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    return context.new_page()


def _draw(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")
    page.context.close()


def _sign_in(browser: Browser, world: World, locale: str) -> None:
    page = _page(browser, locale, DESK)
    page.goto(world.url)
    page.locator("#key").wait_for()
    _draw(page, f"sign-in.{locale[:2]}")


def _calls(browser: Browser, world: World, locale: str) -> None:
    page = _page(browser, locale, DESK)
    page.goto(world.link())
    page.locator(".live[data-connected=true]").wait_for()
    _draw(page, f"calls.{locale[:2]}")


def _call(browser: Browser, world: World, job_id: str, name: str, locale: str, size: ViewportSize, scheme: str) -> None:
    page = _page(browser, locale, size, scheme)
    page.goto(world.link())
    page.locator(".drop").wait_for()
    page.goto(f"{world.url}#/calls/{job_id}")
    page.locator(".wave div").first.wait_for(state="attached")
    eventually(lambda: bool(page.evaluate("document.querySelector('audio').readyState >= 2")), deadline_s=20)
    page.evaluate(f"document.querySelector('audio').currentTime = {SHOWN[1]}")
    expect(page.locator(".turn.heard")).not_to_have_count(0)
    _draw(page, f"{name}.{locale[:2]}")


def main() -> int:
    """Draw them all; the exit status."""
    path = chromium.executable()
    if path is None:
        sys.stderr.write(f"{chromium.HOW}\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    world = World()
    world.rig.limits = type(world.rig.limits)(max_audio_bytes=2**30)
    world.rig.probe = probe
    world.restart()
    job_id = _fill(world)
    with served(world), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for locale in track(("ru-RU", "en-GB"), description="pictures"):
            _sign_in(browser, world, locale)
            _calls(browser, world, locale)
            _call(browser, world, job_id, "call", locale, DESK, "light")
            _call(browser, world, job_id, "phone", locale, PHONE, "dark")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
