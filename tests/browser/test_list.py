"""The list of calls: what it shows, what it follows, what it finds."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.browser.world import World
from tests.unit.ingest.rig import wav


def names(page: Page) -> list[str]:
    return page.locator("tr[data-job] a").all_inner_texts()


def test_the_list_follows_what_happens(inside: Page, world: World) -> None:
    expect(inside.get_by_text("Звонков пока нет")).to_be_visible()
    first = world.submitted("first.wav")
    row = inside.locator(f'tr[data-job="{first}"]')
    expect(row).to_contain_text("В очереди")
    world.becomes(first, "transcribing")
    expect(row).to_contain_text("Расшифровывается")
    world.completes(first)
    expect(row).to_contain_text("Готово")
    expect(row).to_contain_text("0:12")
    second = world.submitted("second.wav")
    world.becomes(second, "failed", "no_audio")
    expect(inside.locator(f'tr[data-job="{second}"]')).to_contain_text("удалось прочитать меньше секунды")
    assert names(inside) == ["second.wav", "first.wav"]


def test_filters_search_and_stay_in_the_address(inside: Page, world: World) -> None:
    done = world.submitted("bank.wav", operator="Анна", direction="inbound")
    world.completes(done)
    world.submitted("clinic.wav", operator="Пётр", direction="outbound")
    expect(inside.locator("tr[data-job]")).to_have_count(2)
    inside.get_by_label("Поиск").fill("анна")
    expect(inside.locator("tr[data-job] a")).to_have_text(["bank.wav"])
    inside.get_by_label("Поиск").fill("")
    inside.get_by_label("Направление").select_option("outbound")
    expect(inside.locator("tr[data-job] a")).to_have_text(["clinic.wav"])
    inside.get_by_label("Состояние").select_option("completed")
    expect(inside.get_by_text("Ничего не нашлось")).to_be_visible()
    inside.get_by_role("button", name="Сбросить").click()
    expect(inside.locator("tr[data-job]")).to_have_count(2)
    inside.get_by_label("По", exact=True).fill("2026-01-30")
    expect(inside.get_by_text("Ничего не нашлось")).to_be_visible()
    inside.reload()
    expect(inside.get_by_text("Ничего не нашлось")).to_be_visible()
    inside.get_by_label("По", exact=True).fill("2026-02-01")
    expect(inside.locator("tr[data-job]")).to_have_count(2)


def test_parts_of_a_transferred_call_lead_to_each_other(inside: Page, world: World) -> None:
    chain = "6d1f1e7c-8f0e-4c53-9c3b-0f6f2f6f6a01"
    first = world.submitted("reception.wav", metadata=json.dumps({"chain_id": chain}))
    world.submitted(f"about {chain}.wav", metadata=json.dumps({"chain_id": "of one part"}))
    alone = inside.locator(f'tr[data-job="{first}"]')
    lead = inside.get_by_role("link", name="Все части звонка")
    expect(alone).to_be_visible()
    expect(lead).to_have_count(0)
    world.submitted("sales.wav", metadata=json.dumps({"chain_id": chain}))
    expect(lead).to_have_count(2)
    inside.get_by_label("Поиск").fill("reception")
    expect(inside.locator("tr[data-job]")).to_have_count(1)  # and it leads to the other part all the same
    world.completes(first)
    expect(alone).to_contain_text("Готово")
    lead.click()
    rows = inside.locator("tr[data-job] .name")
    expect(rows).to_have_text(["sales.wav", "reception.wav"])
    inside.get_by_label("Поиск").fill("sales")
    expect(rows).to_have_text(["sales.wav"])
    inside.reload()
    expect(rows).to_have_text(["sales.wav"])
    rows.click()
    expect(inside.get_by_role("heading", name="sales.wav")).to_be_visible()
    lead.click()
    expect(rows).to_have_count(2)
    inside.get_by_role("button", name="снова показать все звонки").click()
    expect(rows).to_have_count(3)
    assert inside.url == f"{world.url}#/"


def test_pages_go_on_where_they_stopped(inside: Page, world: World) -> None:
    for number in range(60):
        world.submitted(f"call-{number:02}.wav", wav())
    inside.reload()
    expect(inside.locator("tr[data-job]")).to_have_count(50)
    inside.get_by_role("button", name="Показать ещё").click()
    expect(inside.locator("tr[data-job]")).to_have_count(60)
    assert names(inside) == [f"call-{number:02}.wav" for number in reversed(range(60))]
    expect(inside.get_by_role("button", name="Показать ещё")).to_be_hidden()
