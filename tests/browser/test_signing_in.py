"""Into the page and out again, as a person does it."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page, expect

from services.ingest.scopes import READ, SUBMIT
from tests.browser.world import World


def test_a_key_signs_in_and_the_cookie_is_out_of_reach_of_scripts(
    page: Page, context: BrowserContext, world: World
) -> None:
    page.goto(world.url)
    page.get_by_label("Ключ доступа").fill("rzg_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("ничего не открывает")
    page.get_by_label("Ключ доступа").fill(world.rig.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Перетащите записи сюда")).to_be_visible()
    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("razgovor", True, "Strict")
    assert page.evaluate("document.cookie") == ""
    page.reload()
    expect(page.get_by_text("Acme")).to_be_visible()


def test_signing_out_ends_it(inside: Page, context: BrowserContext, world: World) -> None:
    (cookie,) = context.cookies()
    inside.get_by_role("button", name="Выйти").click()
    expect(inside.get_by_label("Ключ доступа")).to_be_visible()
    assert context.cookies() == []
    old = world.rig.http(None).get("/v1/session", headers={"Cookie": f"razgovor={cookie['value']}"})
    assert old.status_code == 401


def test_a_link_signs_in_once_and_leaves_nothing_in_the_address(
    page: Page, context: BrowserContext, world: World
) -> None:
    link = world.link()
    page.goto(link)
    expect(page.get_by_text("Acme")).to_be_visible()
    assert page.url == f"{world.url}#/"
    context.clear_cookies()
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("уже использована")


def test_a_revoked_key_sends_its_people_to_the_door(inside: Page, world: World) -> None:
    world.rig.clients.revoke_key(world.rig.key.split("_")[1])
    inside.get_by_label("Поиск").fill("x")
    expect(inside.get_by_role("alert")).to_contain_text("Сеанс закончился")


def test_both_languages_and_the_choice_is_kept(inside: Page, world: World) -> None:
    world.becomes(world.submitted("broken.wav"), "failed", "no_audio")
    expect(inside.get_by_text("В записи нет звука")).to_be_visible()
    assert inside.get_attribute("html", "lang") == "ru"
    inside.get_by_role("button", name="Language: English").click()
    expect(inside.get_by_text("The recording holds no sound")).to_be_visible()
    expect(inside.get_by_text("Failed", exact=True).last).to_be_visible()
    inside.reload()
    expect(inside.get_by_role("heading", name="Drop recordings here")).to_be_visible()
    assert inside.get_attribute("html", "lang") == "en"
    assert not re.search("[а-яё]", inside.inner_text("main").replace("Язык: русский", ""), re.IGNORECASE)


def test_who_may_only_look_is_offered_no_sending_and_who_may_only_send_no_list(page: Page, world: World) -> None:
    job_id = world.submitted("call.wav", key=world.client("looks", (READ, SUBMIT)))
    world.becomes(job_id, "failed", "no_audio")
    page.goto(world.link(world.client("looks", (READ,))))
    expect(page.get_by_role("link", name="call.wav")).to_be_visible()
    expect(page.get_by_text("Перетащите записи сюда")).to_have_count(0)
    page.get_by_role("link", name="call.wav").click()
    expect(page.get_by_role("heading", name="call.wav")).to_be_visible()
    expect(page.get_by_role("button", name="Расшифровать ещё раз")).to_have_count(0)
    page.goto("about:blank")
    page.goto(world.link(world.client("sends", (SUBMIT,))))
    expect(page.get_by_text("Перетащите записи сюда")).to_be_visible()
    expect(page.get_by_text("не смотреть звонки")).to_be_visible()
