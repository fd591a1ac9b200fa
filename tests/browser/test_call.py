"""A call: the player and the dialogue in step, words, downloads, what hostile texts do not do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from pipeline.testing.waiting import eventually
from services.ingest.scopes import SCOPES
from tests.browser.world import DIALOGUE, World

NOW = "document.querySelector('audio').currentTime"


@pytest.fixture
def call(inside: Page, world: World) -> Page:
    """A finished call's view."""
    job_id = world.submitted("bank.wav", operator="Анна", customer_number="+7 900")
    world.completes(job_id)
    inside.goto(f"{world.url}#/calls/{job_id}")
    expect(inside.get_by_role("heading", name="bank.wav")).to_be_visible()
    eventually(lambda: bool(inside.evaluate("document.querySelector('audio').readyState >= 1")), deadline_s=10)
    return inside


def moment(page: Page) -> float:
    return float(page.evaluate(NOW))


def test_a_turn_that_is_clicked_is_where_it_plays(call: Page) -> None:
    call.get_by_role("button", name="Слушать с 0:06").click()
    assert moment(call) == pytest.approx(6.0, abs=0.05)
    expect(call.locator(".turn.heard")).to_contain_text("фамилию")
    call.get_by_text("карту", exact=True).click()
    assert 4.5 < moment(call) < 5.5
    expect(call.locator(".turn.heard")).to_contain_text("потерял карту")
    expect(call.locator(".spoken")).to_have_text("карту")


def test_while_it_plays_turn_and_word_are_shown(call: Page) -> None:
    call.get_by_label("Скорость").select_option("2")
    call.get_by_role("button", name="Слушать", exact=True).click()
    for channel, _start, _end, text in DIALOGUE:
        heard = call.locator(".turn[aria-current=true]")
        expect(heard).to_contain_text(text)
        expect(heard).to_have_attribute("data-side", ("operator", "customer")[channel])
        expect(call.locator(".spoken")).to_have_count(1)
    expect(call.get_by_role("button", name="Слушать", exact=True)).to_be_visible()


def test_the_waveform_shows_the_operator_above_and_leads_the_player(call: Page) -> None:
    expect(call.locator(".wave-labels span")).to_have_text(["Оператор", "Клиент"])
    canvases = "document.querySelector('.wave div').shadowRoot.querySelectorAll('.canvases canvas').length"
    eventually(lambda: call.evaluate(canvases) == 2, deadline_s=10)
    wave = call.locator(".wave")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] / 2, "y": 20})
    assert moment(call) == pytest.approx(6.0, abs=0.3)
    slider = call.get_by_role("slider", name="Место в записи")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^0:0[56] из 0:12$"))
    for key, seconds in {"Home": 0, "PageUp": 12, "PageDown": 0, "End": 12}.items():
        slider.press(key)
        expect(call.locator("audio")).to_have_js_property("currentTime", seconds)


def test_words_heard_unsurely_are_marked(call: Page) -> None:
    unsure = call.locator(".turn mark")
    expect(unsure).to_have_text("фамилию")
    expect(unsure).to_have_attribute("title", "Расслышано неуверенно: 30\u00a0%")


def test_every_format_and_the_recording_can_be_downloaded(call: Page, tmp_path: Path) -> None:
    wanted = {
        "Текст": b"txt of",
        "Субтитры": b"vtt of",
        "SRT": b"srt of",
        "Excel": b"xlsx of",
        "JSON": b'{"schema"',
        "Запись": b"RIFF",
    }
    for name, begins in wanted.items():
        with call.expect_download() as download:
            call.get_by_role("navigation", name="Скачать").get_by_role("link", name=name).click()
        file = tmp_path / name
        download.value.save_as(file)
        assert file.read_bytes().startswith(begins), name


def test_a_call_that_is_not_ready_becomes_so_by_itself(inside: Page, world: World) -> None:
    job_id = world.submitted("bank.wav")
    inside.goto(f"{world.url}#/calls/{job_id}")
    expect(inside.get_by_text("как только будет готов")).to_be_visible()
    world.becomes(job_id, "transcribing")
    expect(inside.get_by_text("Расшифровывается")).to_be_visible()
    world.completes(job_id)
    expect(inside.locator(".turn")).to_have_count(4)


def test_what_strangers_said_is_text(inside: Page, world: World) -> None:
    hostile = '<img src=x onerror="window.owned=1"> <script>window.owned=1</script> &amp; javascript:alert(1)'
    name = "<svg onload=window.owned=1>.wav"
    job_id = world.submitted(name, operator=hostile[:150], customer_number='"><b>7</b>', queue="{{7*7}}")
    world.completes(job_id, [(0, 0.5, 2.0, hostile), (1, 2.5, 4.0, "\u202eобратно \u0000\u0007 ${1+1}")])
    expect(inside.get_by_role("link", name=name)).to_be_visible()
    inside.get_by_role("link", name=name).click()
    expect(inside.locator(".turn").first).to_contain_text("<img src=x onerror=")
    assert inside.locator("#main").locator("img, svg[onload], script, b, iframe").count() == 0
    expect(inside.get_by_role("heading", level=1)).to_have_text(name)
    assert inside.evaluate("window.owned") is None


def test_the_browser_itself_refuses_html(context: BrowserContext, world: World) -> None:
    page = context.new_page()  # whose complaints are wanted
    page.goto(world.url)
    page.get_by_label("Ключ доступа").wait_for()
    refused = """() => {
      try { document.body.innerHTML = '<img src=x>'; return false; } catch (error) { return error instanceof TypeError; }
    }"""
    assert page.evaluate(refused)


def test_another_clients_call_is_no_call(inside: Page, world: World) -> None:
    job_id = world.submitted("secret.wav", key=world.client("other", SCOPES))
    world.completes(job_id)
    inside.goto(f"{world.url}#/calls/{job_id}")
    expect(inside.get_by_role("alert")).to_contain_text("Такого звонка нет")
    for end in ("", "/audio", "/waveform", "/events", "/transcript?format=txt"):
        status = inside.evaluate(
            "(address) => fetch(address).then((answer) => answer.status)", f"v1/jobs/{job_id}{end}"
        )
        assert status == 404
    inside.goto(f"{world.url}#/")
    expect(inside.get_by_text("Звонков пока нет")).to_be_visible()


def test_a_failed_call_says_why_and_is_done_again(inside: Page, world: World) -> None:
    job_id = world.submitted("bank.wav")
    world.becomes(job_id, "failed", "no_audio")
    inside.goto(f"{world.url}#/calls/{job_id}")
    expect(inside.get_by_role("alert").first).to_contain_text("удалось прочитать меньше секунды")
    expect(inside.get_by_role("link", name="Запись")).to_be_visible()
    inside.get_by_role("button", name="Расшифровать ещё раз").click()
    expect(inside.locator(".state")).to_have_text("В очереди")


def test_a_recording_that_the_browser_cannot_play_says_so_and_its_words_are_there(inside: Page, world: World) -> None:
    job_id = world.submitted("odd.wav", b"#!AMR\n" + bytes(400))
    world.completes(job_id)
    inside.goto(f"{world.url}#/calls/{job_id}")
    expect(inside.get_by_role("status").filter(has_text="не может проиграть")).to_be_visible()
    expect(inside.locator(".turn")).to_have_count(4)


def test_hours_of_words_do_not_stop_the_page(inside: Page, world: World) -> None:
    text = " ".join(["слово"] * 12)
    turns = [(number % 2, number * 4.0, number * 4.0 + 3.5, text) for number in range(2700)]
    job_id = world.submitted("long.wav")
    world.completes(job_id, turns)
    inside.goto(f"{world.url}#/calls/{job_id}")
    expect(inside.locator(".turn")).to_have_count(2700)
    inside.locator('.turn[data-start="10780"]').scroll_into_view_if_needed()
    inside.locator('.turn[data-start="8"] button').click()
    expect(inside.locator(".turn").nth(2)).to_have_class("turn heard")
