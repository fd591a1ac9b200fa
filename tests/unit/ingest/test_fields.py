from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.fields import CallFields, parse_fields
from services.ingest.problems import INVALID_FIELD, Problem

LANGUAGES = frozenset({"ru"})
SECRET = "Тайный-Вася-79990001122"


def refused(**texts: str) -> Problem:
    with pytest.raises(Problem) as caught:
        parse_fields(texts, LANGUAGES)
    return caught.value


def test_a_request_of_an_earlier_release_keeps_its_fingerprint() -> None:
    fields = parse_fields({"call_id": "c-1", "operator": "Анна", "channels": "operator,customer"}, LANGUAGES)
    seen = "d0eefd8ecfeb5dd5672b752082670496f6242996f66b75d6fc1636171b3afb6b"
    assert fields.fingerprint("0" * 64).hex() == seen


def test_every_field_is_understood() -> None:
    fields = parse_fields(
        {
            "call_id": "pbx-1:2.3_A",
            "started_at": "2026-01-31T14:05:00+03:00",
            "direction": "inbound",
            "operator": "Анна",
            "customer_number": "+7 900",
            "queue": "support",
            "metadata": '{"campaign": "зима"}',
            "channels": "customer, operator",
            "language": "ru",
            "locale": "en",
            "formats": "vtt,srt",
            "priority": "bulk",
        },
        LANGUAGES,
    )
    assert fields == CallFields.model_construct(
        call_id="pbx-1:2.3_A",
        started_at=datetime(2026, 1, 31, 11, 5, tzinfo=UTC),
        direction="inbound",
        operator="Анна",
        customer_number="+7 900",
        queue="support",
        metadata={"campaign": "зима"},
        channels=("customer", "operator"),
        language="ru",
        locale="en",
        formats=("vtt", "srt"),
        priority="bulk",
    )


def test_nothing_is_required_and_empty_counts_as_not_given() -> None:
    assert parse_fields({"operator": "", "metadata": "", "started_at": ""}, LANGUAGES) == parse_fields({}, LANGUAGES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("call_id", "a b"),
        ("call_id", "Вася"),
        ("call_id", "x" * 129),
        ("call_id", "x\n"),
        ("started_at", "2026-01-31T14:05:00"),
        ("started_at", "1769857500"),
        ("started_at", "yesterday"),
        ("started_at", "0001-01-01T00:00:00+14:00"),
        ("started_at", "9999-12-31T23:59:59-14:00"),
        ("started_at", "2026-02-30T14:05:00Z"),
        ("direction", "sideways"),
        ("operator", "x" * 201),
        ("customer_number", "1" * 65),
        ("queue", "x" * 201),
        ("metadata", "{"),
        ("metadata", "[]"),
        ("metadata", "NaN"),
        ("metadata", '{"a": NaN}'),
        ("metadata", '{"a": 1}'),
        ("metadata", '{"a": ' + "9" * 5000 + "}"),
        ("metadata", '{"a": {"b": "c"}}'),
        ("metadata", '{"": "c"}'),
        ("metadata", "[" * 10_000),
        ("metadata", '{"a":' * 3000),
        ("metadata", json.dumps({"a": "x" * 1025})),
        ("metadata", json.dumps({str(number): "x" for number in range(65)})),
        ("metadata", " " * 16_385),
        ("channels", "operator,robot"),
        ("channels", "operator,operator"),
        ("channels", "operator,customer,operator"),
        ("channels", ","),
        ("language", "xx"),
        ("language", "klingon"),
        ("locale", "de"),
        ("formats", "pdf"),
        ("formats", "txt,txt"),
        ("priority", "asap"),
        ("model", "large-v3"),
    ],
)
def test_a_bad_field_is_named_and_what_it_held_is_not(name: str, text: str) -> None:
    problem = refused(**{name: text})
    assert (problem.kind, problem.field) == (INVALID_FIELD, name)
    assert len(text) < 4 or text not in problem.detail


@pytest.mark.parametrize("name", ["call_id", "started_at", "direction", "metadata", "channels", "formats", "priority"])
def test_a_refusal_never_repeats_personal_data(name: str) -> None:
    problem = refused(**{name: SECRET})
    assert SECRET not in problem.detail + str(problem.facts) + str(problem)


def test_nul_and_lone_surrogates_in_texts_do_not_reach_the_database() -> None:
    fields = parse_fields({"operator": "А\0нна\ud800", "metadata": '{"a\\u0000": "b\\u0000"}'}, LANGUAGES)
    assert (fields.operator, fields.metadata) == ("Анна?", {"a": "b"})


@given(st.dictionaries(st.sampled_from(sorted(CallFields.model_fields)), st.text(st.characters(), max_size=60)))
def test_any_texts_are_taken_or_refused_with_a_field(texts: dict[str, str]) -> None:
    fault = None
    try:
        assert parse_fields(texts, LANGUAGES).model_dump_json().encode()
    except Problem as problem:
        fault = problem.field
    # A missing half of a declaration is named too, so it need not be among the texts.
    assert fault is None or fault in {*texts, "codec", "sample_rate_hz", "channel_count"}


def test_a_request_with_other_fields_or_another_file_has_another_fingerprint() -> None:
    plain, other = parse_fields({}, LANGUAGES), parse_fields({"queue": "a"}, LANGUAGES)
    assert plain.fingerprint("a") == parse_fields({}, LANGUAGES).fingerprint("a")
    assert len({plain.fingerprint("a"), plain.fingerprint("b"), other.fingerprint("a")}) == 3
