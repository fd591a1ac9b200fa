from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.contracts.glossary import Glossary, GlossaryCheck, is_glossary_id

TERMS = ("Семейный плюс", "Мегабит")


def check(*, errors: tuple[int, int] = (10, 10), silence: tuple[int, int] = (0, 0)) -> GlossaryCheck:
    return GlossaryCheck(
        glossary_id="a@0123456789ab",
        model="base",
        model_sha256="0" * 64,
        parameters_sha256="1" * 64,
        calls=3,
        words=100,
        errors_without=errors[0],
        errors_with=errors[1],
        silence_words_without=silence[0],
        silence_words_with=silence[1],
    )


def test_the_id_follows_from_name_and_terms() -> None:
    glossary = Glossary(name="tariffs", terms=TERMS)

    assert glossary.glossary_id == Glossary(name="tariffs", terms=TERMS).glossary_id
    assert is_glossary_id(glossary.glossary_id)
    assert glossary.glossary_id != Glossary(name="tariffs", terms=TERMS[::-1]).glossary_id
    assert Glossary.from_bytes(glossary.to_bytes()) == glossary


@given(st.text(max_size=60))
def test_what_is_no_id_never_becomes_a_key(text: str) -> None:
    assert not is_glossary_id(f"{text}/@0123456789ab")
    assert not is_glossary_id(f"tariffs@0123456789ab{text}") or not text


@pytest.mark.parametrize(
    "terms",
    [
        (),
        ("",),
        ("  ",),
        ("а" * 65,),
        ("а", "а"),
        tuple(f"слово{number:03}" for number in range(101)),
        ("<|ru|>",),
        ("а\nб",),
    ],
)
def test_terms_that_are_none_too_many_or_marks_of_the_engine_are_refused(terms: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Glossary(name="tariffs", terms=terms)


def test_more_than_an_engine_can_be_told_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most 450 letters"):
        Glossary(name="tariffs", terms=tuple(f"{'а' * 50}{number}" for number in range(9)))


@pytest.mark.parametrize("name", ["", "Tariffs", "a/b", "a@b", "..", "а"])
def test_a_name_goes_into_keys_and_is_refused_if_it_could_not(name: str) -> None:
    with pytest.raises(ValidationError):
        Glossary(name=name, terms=TERMS)


def test_a_check_refuses_more_errors_and_words_on_silence() -> None:
    assert check().refusal is None
    assert check(errors=(10, 9)).refusal is None
    assert check(errors=(10, 11)).refusal == "more_errors"
    assert check(errors=(10, 5), silence=(0, 1)).refusal == "words_on_silence"
    assert check(silence=(2, 1)).refusal is None
