"""The page of a running stack, in a real browser and with the real model: from a dropped recording to the downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.testing.waiting import eventually
from tests.browser import chromium
from tests.e2e.command import run_razgovor
from tests.e2e.lasting import SAMPLES, data_folder, up

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

#: Until the model has heard a minute of a call on two busy cores.
_HEARD_MS = 180_000


@pytest.fixture
def data() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def link_of(data: Path, client: str) -> str:
    answer = run_razgovor("keys", "link", "--client", client, "--data", str(data))
    assert answer.returncode == 0, answer.stdout
    return answer.stdout.strip().splitlines()[-1]


def test_a_manager_uploads_a_call_hears_it_and_takes_it_home(data: Path, tmp_path: Path) -> None:
    with chromium.launched() as browser, up(data) as url:
        page = browser.new_context(locale="ru-RU").new_page()
        complaints = chromium.complaints_of(page)
        page.goto(link_of(data, "acme"))
        page.get_by_label("Кто говорит на левом канале").select_option("operator,customer")
        page.set_input_files("#files", [SAMPLES / "clinic.wav", SAMPLES / "broken.wav"])
        row = page.locator("tr[data-job]").filter(has_text="clinic.wav")
        expect(row).to_contain_text("Готово", timeout=_HEARD_MS)
        expect(page.locator("tr[data-job]").filter(has_text="broken.wav")).to_contain_text("Заголовок файла невозможен")
        row.get_by_role("link").click()
        hears(page)
        takes_home(page, tmp_path)
        address = page.url
        other = browser.new_context(locale="ru-RU").new_page()
        other.goto(link_of(data, "other"))
        other.locator(".drop").wait_for()
        other.goto(address)
        expect(other.get_by_role("alert")).to_contain_text("Такого звонка нет")
        assert complaints == []
        assert address.startswith(url)


def hears(page: Page) -> None:
    expect(page.locator(".turn[data-side=operator]").first).to_be_visible()
    expect(page.locator(".turn[data-side=customer]").first).to_be_visible()
    canvases = "document.querySelector('.wave div')?.shadowRoot.querySelectorAll('.canvases canvas').length"
    eventually(lambda: page.evaluate(canvases) == 2, deadline_s=30)
    third = page.locator(".turn").nth(2)
    third.get_by_role("button").click()
    expect(third).to_have_class("turn heard")
    page.keyboard.press("Space")
    expect(page.locator(".turn[aria-current=true] .spoken")).to_have_count(1)


def takes_home(page: Page, folder: Path) -> None:
    begins = {
        "Текст": "Расшифровка".encode(),
        "Субтитры": b"WEBVTT",
        "Excel": b"PK",
        "JSON": b'{"schema"',
        "Запись": b"RIFF",
    }
    for name, magic in begins.items():
        with page.expect_download() as download:
            page.get_by_role("navigation", name="Скачать").get_by_role("link", name=name).click()
        download.value.save_as(folder / name)
        assert (folder / name).read_bytes().startswith(magic), name
