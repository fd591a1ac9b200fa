"""The page's files: what a browser is sent, and what it is told to refuse."""

from __future__ import annotations

import re

import pytest

from pipeline.contracts.reasons import catalogue
from services.ingest.problems import KINDS
from services.ingest.web import assets
from tests.unit.ingest.rig import Rig

TEXTS = {locale: assets.texts(locale) for locale in ("ru", "en")}


def test_the_page_loads_everything_from_us_and_nothing_inside_it_runs() -> None:
    http = Rig().http(None)
    page = http.get("/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "://" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "://" not in page.text
    assert not re.search(r"<script>|\son\w+=|\sstyle=|<style", page.text)
    for address in re.findall(r'(?:src|href)="(page/[^"]+)"', page.text):
        assert http.get("/" + address).status_code == 200


def test_the_nonce_is_another_one_each_time_and_never_kept() -> None:
    http = Rig().http(None)
    answers = [http.get("/") for _ in range(2)]
    nonces = [re.search(r"'nonce-([^']+)'", answer.headers["content-security-policy"]) for answer in answers]
    assert all(nonce is not None and nonce[1] in answer.text for nonce, answer in zip(nonces, answers, strict=True))
    assert len({nonce[1] for nonce in nonces if nonce is not None}) == 2
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_a_file_is_asked_for_again_by_its_tag() -> None:
    http = Rig().http(None)
    first = http.get("/page/js/app.js")
    assert (first.status_code, first.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert first.headers["cache-control"] == "no-cache"
    again = http.get("/page/js/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["", "js", "js/", "js/none.js", "../__init__.py", "js/../../__init__.py", "texts/ru.toml", "%2e%2e/keys.py"]
)
def test_nothing_else_is_served(name: str) -> None:
    answer = Rig().http(None).get(f"/page/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_files_stay_small() -> None:
    sizes = {name: len(asset.body) for name, asset in assets.load().items()}
    assert max(sizes.values()) < 64 * 1024, sizes
    assert sum(sizes.values()) < 256 * 1024, sizes


def test_both_languages_say_the_same() -> None:
    assert TEXTS["ru"].keys() == TEXTS["en"].keys()
    for name, text in TEXTS["ru"].items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", TEXTS["en"][name])), name


def test_every_refusal_and_every_reason_has_words_for_people() -> None:
    for texts in TEXTS.values():
        assert {f"problem.{code}" for code in KINDS} <= texts.keys()
        assert {f"reason.{code}" for code in catalogue()} <= texts.keys()


def test_our_modules_make_no_html_out_of_text() -> None:
    for name, asset in assets.load().items():
        if name.startswith("js/"):
            assert not re.search(
                rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", asset.body
            ), name


def test_every_text_that_a_module_asks_for_is_there() -> None:
    modules = b"".join(asset.body for name, asset in assets.load().items() if name.startswith("js/")).decode()
    asked = set(re.findall(r"\bt\('([a-z_.]+)'", modules))
    assert asked
    assert asked <= TEXTS["ru"].keys()
