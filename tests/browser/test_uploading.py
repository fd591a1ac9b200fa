"""Recordings into the page: chosen, dropped, refused, sent again."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Final

from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from pipeline.errors import Transient
from pipeline.testing.waiting import eventually
from tests.browser.world import World, spoken, tones

#: A network without limits, as the browser's own protocol says it: bytes a second, milliseconds.
UNHINDERED: Final = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  for (const kind of ['dragover', 'drop']) {
    document.querySelector('.drop').dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    sent: list[FilePayload] = [{"name": name, "mimeType": "audio/wav", "buffer": data} for name, data in files]
    page.set_input_files("#files", sent)


def goes_on(bar: Locator) -> None:
    """Wait until a bar is further than it was; it must not have ended."""

    def share() -> float:
        return float(bar.evaluate("(bar) => bar.value"))

    first = share()
    eventually(lambda: share() > first, deadline_s=10)


def test_many_files_at_once_each_with_its_own_end(inside: Page) -> None:
    good = [(f"call-{number}.wav", spoken()) for number in range(7)]
    choose(inside, *good, ("notes.wav", b"this is no sound " * 100), ("empty.wav", b""), ("huge.wav", bytes(1_000_001)))
    rows = inside.get_by_role("list", name="Отправляемые записи").get_by_role("listitem")
    expect(rows.filter(has_text="принято")).to_have_count(7)
    expect(rows.filter(has_text="notes.wav")).to_contain_text("Это не запись, которую можно прочитать")
    expect(rows.filter(has_text="empty.wav")).to_contain_text("Файл пуст")
    expect(rows.filter(has_text="huge.wav")).to_contain_text("Файл больше")
    expect(inside.locator(".uploads-summary")).to_contain_text("Отправлено 7 из 10")
    expect(inside.locator("tr[data-job]")).to_have_count(7)
    inside.get_by_role("button", name="Очистить список").click()
    expect(rows).to_have_count(3)


def test_a_dropped_file_goes_with_what_was_said_of_its_channels(inside: Page, world: World) -> None:
    inside.get_by_label("Кто говорит на левом канале").select_option("customer,operator")
    inside.evaluate(DROP, ["Звонок №1.wav", base64.b64encode(spoken()).decode()])
    row = inside.locator("tr[data-job]")
    expect(row).to_contain_text("Звонок №1.wav")
    (submission, _at) = world.submissions.submissions[world.rig.only_job()]
    assert (submission.channel_roles, submission.priority) == (("customer", "operator"), "interactive")


def test_what_did_not_arrive_is_sent_again_and_taken_once(inside: Page, world: World) -> None:
    world.submissions.fail_submit = Transient("away", retry_after_s=5.0)
    choose(inside, ("call.wav", spoken()))
    row = inside.locator(".upload")
    expect(row).to_contain_text("Часть службы не отвечает")
    world.submissions.fail_submit = None
    inside.get_by_role("button", name="Отправить call.wav ещё раз").click()
    expect(row).to_contain_text("принято")

    lost: list[Route] = []

    def lose(route: Route) -> None:
        """The server takes it, its answer is lost on the way."""
        if route.request.method == "POST" and not lost:
            lost.append(route)
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    inside.route("**/v1/jobs", lose)
    choose(inside, ("second.wav", spoken()))
    again = inside.get_by_role("button", name="Отправить second.wav ещё раз")
    again.click()
    expect(inside.locator(".upload").filter(has_text="second.wav")).to_contain_text("принято")
    assert len(world.submissions.submissions) == 2


def test_a_refused_file_of_many_megabytes_gets_its_reason(page: Page, world: World, tmp_path: Path) -> None:
    world.rig.limits = type(world.rig.limits)(max_audio_bytes=2**30)
    world.restart()
    page.goto(world.link())
    page.wait_for_selector(".drop")
    archive = tmp_path / "archive.wav"
    archive.write_bytes(b"PK\x03\x04" + bytes(40_000_000))
    page.set_input_files("#files", archive)
    expect(page.locator(".upload")).to_contain_text("не запись, которую можно прочитать")


def test_each_file_says_how_far_it_is(inside: Page) -> None:
    network = inside.context.new_cdp_session(inside)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {**UNHINDERED, "uploadThroughput": 150_000})
    choose(inside, ("long.wav", tones(25.0)), ("other.wav", tones(24.0)))
    for name in ("long.wav", "other.wav"):
        bar = inside.get_by_role("progressbar", name=f"Отправляется {name}")
        state = inside.locator(".upload").filter(has_text=name).locator(".upload-state")
        expect(state).to_have_text(re.compile(r"^отправлено [1-9]\d?\s%$"))
        expect(bar).to_be_visible()
        goes_on(bar)
    network.send("Network.emulateNetworkConditions", UNHINDERED)
    expect(inside.locator(".upload-state")).to_have_text(["принято", "принято"])
    expect(inside.get_by_role("progressbar")).to_have_count(0)


def test_an_uploads_name_is_text(inside: Page) -> None:
    choose(inside, ("<img src=x onerror=alert(1)>.wav", b""))
    expect(inside.locator(".upload-name")).to_have_text("<img src=x onerror=alert(1)>.wav")
    assert inside.locator(".upload img").count() == 0
