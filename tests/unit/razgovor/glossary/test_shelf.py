from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from pipeline.contracts.glossary import Glossary, GlossaryCheck
from razgovor.glossary.shelf import GlossaryRefused, Passed, Shelf, read_terms

GLOSSARY = Glossary(name="tariffs", terms=("Семейный плюс", "Мегабит"))
MODEL = "a" * 64
PARAMETERS = "b" * 64


def check(*, errors_with: int = 9, silence_words_with: int = 0) -> GlossaryCheck:
    return GlossaryCheck(
        glossary_id=GLOSSARY.glossary_id,
        model="base",
        model_sha256=MODEL,
        parameters_sha256=PARAMETERS,
        calls=2,
        words=100,
        errors_without=10,
        errors_with=errors_with,
        silence_words_without=0,
        silence_words_with=silence_words_with,
    )


def test_what_is_added_is_found_and_added_again_is_the_same() -> None:
    shelf = Shelf(MemoryStore(), "acme")

    assert shelf.add(GLOSSARY) == shelf.add(GLOSSARY) == GLOSSARY.glossary_id
    assert [(kept.glossary, kept.passed) for kept in shelf.all()] == [(GLOSSARY, ())]


def test_a_client_sees_its_own_alone() -> None:
    store = MemoryStore()
    Shelf(store, "acme").add(GLOSSARY)

    assert list(Shelf(store, "other").all()) == []
    with pytest.raises(GlossaryRefused, match="no glossary"):
        Shelf(store, "other").find(GLOSSARY.glossary_id)


def test_a_passed_check_allows_the_model_and_the_parameters_it_was_made_with() -> None:
    shelf = Shelf(MemoryStore(), "acme")
    shelf.add(GLOSSARY)

    shelf.allow(check())

    assert shelf.find(GLOSSARY.glossary_id).passed == (Passed(MODEL, PARAMETERS),)


def test_a_check_of_an_older_release_counts_no_more_and_goes_with_its_glossary() -> None:
    store = MemoryStore()
    shelf = Shelf(store, "acme")
    shelf.add(GLOSSARY)
    key = layout.glossary_checks_prefix("acme", GLOSSARY.glossary_id) + MODEL
    store.put(key, b"{}", media_type="application/json")

    assert shelf.find(GLOSSARY.glossary_id).passed == ()
    shelf.remove(GLOSSARY.glossary_id)

    assert list(store.list("control/")) == []


@pytest.mark.parametrize(
    ("failed", "reason"), [(check(errors_with=11), "more_errors"), (check(silence_words_with=1), "words_on_silence")]
)
def test_a_glossary_that_does_harm_is_refused_with_its_reason(failed: GlossaryCheck, reason: str) -> None:
    shelf = Shelf(MemoryStore(), "acme")
    shelf.add(GLOSSARY)

    with pytest.raises(GlossaryRefused, match=reason):
        shelf.allow(failed)

    assert shelf.find(GLOSSARY.glossary_id).passed == ()


def test_removing_takes_its_checks_along() -> None:
    store = MemoryStore()
    shelf = Shelf(store, "acme")
    shelf.add(GLOSSARY)
    shelf.allow(check())

    shelf.remove(GLOSSARY.glossary_id)

    assert list(store.list("control/")) == []
    with pytest.raises(GlossaryRefused):
        shelf.remove(GLOSSARY.glossary_id)


def test_what_was_changed_behind_our_back_is_not_used() -> None:
    store = MemoryStore()
    shelf = Shelf(store, "acme")
    key = layout.glossary_key("acme", shelf.add(GLOSSARY))
    store.put(key, Glossary(name="tariffs", terms=("другое",)).to_bytes(), media_type="application/json")

    with pytest.raises(GlossaryRefused, match="not what was added"):
        shelf.find(GLOSSARY.glossary_id)


@pytest.mark.parametrize("glossary_id", ["tariffs", "../x@0123456789ab", "tariffs@0123456789AB", ""])
def test_what_is_no_id_never_reaches_the_store(glossary_id: str) -> None:
    with pytest.raises(GlossaryRefused, match="id is name@"):
        Shelf(MemoryStore(), "acme").find(glossary_id)


def test_a_term_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    file.write_bytes("\ufeff# тарифы\n Семейный плюс \n\nМегабит\r\n".encode())

    assert read_terms("tariffs", file) == GLOSSARY


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "at least 1 item"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 70_000, "too large"),
        ("а\nа\n".encode(), "twice"),
        ("слово\n".encode() * 1 + b"<|ru|>\n", "terms.1"),
    ],
)
def test_a_file_that_is_no_glossary_is_refused_with_what_is_wrong(data: bytes, why: str, tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    file.write_bytes(data)

    with pytest.raises(GlossaryRefused, match=why):
        read_terms("tariffs", file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(GlossaryRefused, match="cannot be read"):
        read_terms("tariffs", tmp_path / "none.txt")
