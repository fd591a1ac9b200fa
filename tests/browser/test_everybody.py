"""Without a mouse, on a telephone, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.testing.waiting import eventually
from tests.browser.chromium import complaints_of
from tests.browser.world import World

FOCUSED = """(() => {
  const one = document.activeElement;
  return one === document.body ? '' : one.getAttribute('aria-label') || one.textContent || one.id;
})()"""


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until this is focused, and see that one can see it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted in page.evaluate(FOCUSED):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    pytest.fail(f"no Tab leads to {wanted}")


def test_everything_goes_by_keyboard(page: Page, world: World) -> None:
    job_id = world.submitted("bank.wav")
    world.completes(job_id)
    page.goto(world.url)
    expect(page.get_by_label("Ключ доступа")).to_be_focused()
    page.keyboard.type(world.rig.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="bank.wav")).to_be_visible()
    tab_to(page, "files")
    tab_to(page, "bank.wav")
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(4)
    eventually(lambda: bool(page.evaluate("document.querySelector('audio').readyState >= 1")), deadline_s=10)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".turn.heard")).to_contain_text("Здравствуйте")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".turn.heard")).to_contain_text("Добрый день")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".turn.heard")).to_contain_text("Здравствуйте")
    page.keyboard.press("ArrowRight")
    expect(page.locator("audio")).to_have_js_property("currentTime", 5.5)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Пауза")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Слушать", exact=True)).to_be_visible()
    tab_to(page, "Слушать с 0:06")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.heard")).to_contain_text("фамилию")
    tab_to(page, "Выйти")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Ключ доступа")).to_be_focused()


@pytest.mark.parametrize("width", [360, 768])
def test_a_narrow_screen_shows_all_of_it_without_scrolling_sideways(browser: Browser, world: World, width: int) -> None:
    job_id = world.submitted(
        "a-very-long-name-" * 8 + ".wav", operator="Константин Константинопольский", customer_number="+7 900 000-00-00"
    )
    world.completes(job_id)
    context = browser.new_context(locale="ru-RU", viewport={"width": width, "height": 740}, has_touch=True)
    page = context.new_page()
    complaints = complaints_of(page)
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    page.goto(world.url)
    expect(page.get_by_label("Ключ доступа")).to_be_visible()
    assert page.evaluate(fits)
    page.goto(world.link())
    page.locator("tr[data-job] a").tap()
    expect(page.locator(".turn")).to_have_count(4)
    assert page.evaluate(fits)
    page.get_by_role("button", name="Слушать с 0:03").tap()
    expect(page.locator(".turn.heard")).to_contain_text("Добрый день")
    page.get_by_role("link", name="Все звонки").tap()
    expect(page.locator("tr[data-job]")).to_be_visible()
    assert page.evaluate(fits)
    small = """[...document.querySelectorAll('button, .button, input:not([type=file]), select')]
      .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().height < 32).map((one) => one.outerHTML)"""
    assert page.evaluate(small) == []
    assert complaints == []
    context.close()


def test_every_field_has_a_name_and_every_picture_is_none_or_told(inside: Page, world: World) -> None:
    world.completes(world.submitted("bank.wav"))
    inside.locator("tr[data-job] a").wait_for()
    nameless = """[...document.querySelectorAll('input, select, button, [role=slider]')]
      .filter((one) => !(one.labels?.length || one.getAttribute('aria-label') || one.textContent.trim()))
      .map((one) => one.outerHTML)"""
    assert inside.evaluate(nameless) == []
    inside.locator("tr[data-job] a").click()
    inside.locator(".turn").first.wait_for()
    assert inside.evaluate(nameless) == []
    assert inside.evaluate("[...document.images].filter((one) => !one.hasAttribute('alt')).length") == 0


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => [red, green, blue]
    .map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const back = (one) => {
    for (let node = one; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const one of document.querySelectorAll('#page *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || one.offsetParent === null || one.closest('option, .hidden, .skip')) continue;
    const [high, low] = [light(parse(getComputedStyle(one).color)), light(back(one))].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${one.outerHTML.slice(0, 120)}`);
  }
  return faint;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(inside: Page, world: World, scheme: str) -> None:
    world.completes(world.submitted("bank.wav", operator="Анна"))
    world.becomes(world.submitted("broken.wav"), "failed", "no_audio")
    if scheme == "dark":
        inside.emulate_media(color_scheme="dark")
    inside.get_by_text("Не вышло").last.wait_for()
    assert inside.evaluate(CONTRAST) == []
    inside.get_by_role("link", name="bank.wav").click()
    inside.locator(".turn").first.wait_for()
    assert inside.evaluate(CONTRAST) == []
