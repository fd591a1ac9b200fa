"""A call of which not all is kept any more: what is left is shown, and why the rest is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from pipeline.contracts import layout
from pipeline.testing.waiting import eventually
from tests.browser.world import DIALOGUE, World

MARCH = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEXT_YEAR = datetime(2027, 3, 7, 12, tzinfo=UTC)


def opened(page: Page, world: World, job_id: str) -> None:
    page.goto(f"{world.url}#/calls/{job_id}")
    expect(page.locator(".call-head")).to_be_visible()


def downloads(page: Page) -> list[str]:
    return page.get_by_role("navigation", name="Скачать").get_by_role("link").all_inner_texts()


@pytest.fixture
def kept(world: World) -> str:
    """A finished call."""
    job_id = world.submitted("bank.wav", operator="Анна")
    world.completes(job_id)
    return job_id


def test_without_its_recording_a_call_can_still_be_read(inside: Page, world: World, kept: str) -> None:
    world.expires(kept, audio=MARCH)
    opened(inside, world, kept)
    expect(inside.locator(".not-kept")).to_have_text(
        "Запись хранилась оговорённый срок и удалена (2 марта 2026 г.): прослушать её больше нельзя."
    )
    expect(inside.locator(".turn p")).to_have_text([f"{text} " for *_when, text in DIALOGUE])
    expect(inside.locator(".turn mark")).to_have_text("фамилию")
    expect(inside.get_by_text("0:06", exact=True)).to_be_visible()
    assert downloads(inside) == ["Текст", "Субтитры", "SRT", "Excel", "JSON"]
    # Nothing offers to play what is not there: neither the player, nor a turn, nor a key.
    assert inside.locator(".player, audio, .turn button").count() == 0
    inside.get_by_text("карту", exact=True).click()
    for key in ("Space", "ArrowDown", "ArrowRight"):
        inside.keyboard.press(key)
    expect(inside.locator(".turn")).to_have_count(4)


def test_without_its_dialogue_a_call_can_still_be_heard(inside: Page, world: World, kept: str) -> None:
    world.expires(kept, transcript=NEXT_YEAR)
    opened(inside, world, kept)
    expect(inside.locator(".not-kept")).to_have_text("Диалог хранился оговорённый срок и удалён (7 марта 2027 г.).")
    assert downloads(inside) == ["Запись"]
    expect(inside.locator(".wave-labels span")).to_have_text(["Оператор", "Клиент"])
    eventually(lambda: bool(inside.evaluate("document.querySelector('audio').readyState >= 1")), deadline_s=10)
    for key in ("ArrowRight", "ArrowDown", "ArrowUp"):
        inside.keyboard.press(key)
    expect(inside.locator("audio")).to_have_js_property("currentTime", 5)
    assert inside.locator(".turn").count() == 0


def test_of_a_call_of_which_nothing_is_kept_what_is_known_is_shown(inside: Page, world: World, kept: str) -> None:
    world.expires(kept, audio=MARCH, transcript=NEXT_YEAR)
    opened(inside, world, kept)
    expect(inside.locator(".not-kept p")).to_have_count(2)
    expect(inside.locator(".facts")).to_contain_text("Анна")
    assert inside.locator(".player, .downloads, .dialogue").count() == 0
    inside.get_by_role("button", name="Language: English").click()
    expect(inside.locator(".not-kept")).to_contain_text("The recording was kept as long as agreed")
    expect(inside.locator(".not-kept")).to_contain_text("The dialogue was kept as long as agreed")


def test_a_dialogue_that_the_stores_own_rule_took_is_said_to_be_gone(inside: Page, world: World, kept: str) -> None:
    for found in list(world.rig.store.list(layout.run_prefix(kept, 1))):
        world.rig.store.delete(found.key)
    opened(inside, world, kept)
    expect(inside.locator(".not-kept")).to_have_text("Диалог больше не хранится.")
    expect(inside.get_by_role("button", name="Слушать", exact=True)).to_be_visible()


def test_an_erased_call_says_so_and_nothing_else(inside: Page, world: World, kept: str) -> None:
    assert world.rig.http().delete(f"/v1/jobs/{kept}").status_code == 202
    opened(inside, world, kept)
    expect(inside.locator(".not-kept")).to_have_text(
        "Звонок удалён (1 января 2026 г.): запись, диалог и всё, что о нём было известно."
    )
    expect(inside.locator(".call-head")).not_to_contain_text("Анна")
    assert inside.locator(".player, .downloads, .dialogue, .actions").count() == 0


def test_a_failed_call_is_not_offered_to_be_done_again_without_its_recording(inside: Page, world: World) -> None:
    job_id = world.submitted("broken.wav")
    world.becomes(job_id, "failed", "no_audio")
    opened(inside, world, job_id)
    expect(inside.get_by_role("button", name="Расшифровать ещё раз")).to_be_visible()
    world.expires(job_id, audio=MARCH)
    inside.reload()
    expect(inside.locator(".not-kept")).to_contain_text("Запись хранилась оговорённый срок")
    assert inside.locator(".actions, .downloads").count() == 0
