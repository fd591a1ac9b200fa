from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.watching.builtin import BUILTIN
from services.ingest.watching.patterns import PatternError, compiled
from services.ingest.watching.readings import Reading, upload_fields

OKTELL = BUILTIN["oktell"]
ASTERISK = BUILTIN["asterisk"]
MIX = "mix_101_e00042__2026_01_31__14_05_12_347"


@pytest.mark.parametrize(
    "path",
    [
        f"RecordedFiles\\20260131\\1405\\{MIX}.mp3",
        f"20260131/1405/{MIX}.wav",
        f"{MIX}.MP3",
        MIX,
    ],
)
def test_oktell_names_hold_lines_and_time_and_neither_direction_nor_roles(path: str) -> None:
    moment = datetime.fromisoformat("2026-01-31T14:05:12.347000")
    assert OKTELL.read(path) == Reading(local_time=moment, lines=("101", "e00042"))


def test_asterisk_names_hold_direction_agent_customer_time_and_id() -> None:
    moment = datetime.fromisoformat("2026-01-31T14:05:12")
    inbound = ASTERISK.read("2026/01/31/in-101-+79160000000-20260131-140512-1769857512.42.wav")
    outbound = ASTERISK.read("out-+79160000000-101-20260131-140512-1769857512.42.wav")
    assert inbound is not None
    assert outbound is not None
    assert (inbound.direction, outbound.direction) == ("inbound", "outbound")
    for found in (inbound, outbound):
        assert (found.operator, found.customer_number, found.call_id) == ("101", "+79160000000", "1769857512.42")
        assert found.local_time == moment


@pytest.mark.parametrize(
    "name",
    [
        "mix_101_102__2026_13_31__14_05_12_347.mp3",  # no such month
        "mix_101_102__2026_02_30__14_05_12_347.mp3",
        "mix_101_102__2026_01_31__14_05_12.mp3",
        "mix_101_102__0001_01_01__00_00_00_000.mp3",  # before every clock
        "mix_101_102__9999_12_31__23_59_59_999.mp3",
        "mix_101__2026_01_31__14_05_12_347.mp3",
        "greeting.wav",
        "",
        "/",
    ],
)
def test_what_is_not_of_the_pattern_is_read_as_nothing(name: str) -> None:
    assert OKTELL.read(name) is None


def test_a_pattern_takes_its_time_from_folder_and_name() -> None:
    pattern = compiled("{time:%Y%m%d}/{operator}_{customer}_{time:%H%M%S}_{meta.campaign}.wav")
    found = pattern.read("x/20260131/anna k_8916_140512_winter.wav")
    assert found is not None
    assert (found.local_time, found.metadata) == (datetime.fromisoformat("2026-01-31T14:05:12"), {"campaign": "winter"})
    assert found.operator == "anna k"


def test_words_of_a_direction_can_be_ones_own_and_an_unknown_one_says_nothing() -> None:
    pattern = compiled("{direction}_{call_id}", directions={"вх": "inbound"})
    assert [pattern.read(name) for name in ("ВХ_1.wav", "in_1.wav")] == [
        Reading(call_id="1", direction="inbound"),
        Reading(call_id="1"),
    ]


def test_any_text_is_passed_over() -> None:
    assert compiled("*-{call_id}-*.wav").read("a b-7-.wav") == Reading(call_id="7")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 500 characters"),
        ("a" * 501, "1 to 500 characters"),
        ("{operator}{customer}", "put a character between operator"),
        ("{operator}{time:%Y%m%d}", "put a character between operator"),
        ("{operator}-*{customer}", "put a character between \\*"),
        ("{who}-x", "there is no field {who}"),
        ("{call_id}-{call_id}", "stands twice"),
        ("{time:%Y%m%d}-{time:%d}", "a part of the time stands twice"),
        ("{time:%H%M%S}", "needs its year, month and day"),
        ("{time:%Y%m%d %Z}", "%Z is no part of a time"),
        ("{time}", "say how the time is written"),
        ("{time:%Y/%m/%d}", "within one name"),
        ("{line_a}-x", "comes with {line_b}"),
        ("{meta.A}-x", "a name is a small letter"),
        ("{call_id", "stands alone at character 1"),
        ("call.wav", "at least one field"),
    ],
)
def test_a_pattern_that_cannot_be_understood_says_why(text: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        compiled(text)


_WORD = st.text(st.characters(exclude_characters="-/\\", exclude_categories=["C"]), min_size=1)


@given(
    operator=_WORD,
    customer=_WORD,
    moment=st.datetimes(datetime.fromisoformat("1970-01-01T00:00:00"), datetime.fromisoformat("2199-12-31T00:00:00")),
)
def test_what_is_written_by_a_pattern_is_read_by_it(operator: str, customer: str, moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    found = compiled("{operator}-{customer}-{time:%Y%m%d%H%M%S}").read(
        f"{operator}-{customer}-{moment:%Y%m%d%H%M%S}.wav"
    )
    assert found == Reading(operator=operator, customer_number=customer, local_time=moment)


@given(st.text())
def test_whatever_a_file_is_called_reading_it_ends(path: str) -> None:
    for patterns in BUILTIN.values():
        assert patterns.read(path) is None or path


def test_fields_carry_the_zone_and_say_nothing_that_is_not_known() -> None:
    reading = Reading(local_time=datetime.fromisoformat("2026-01-31T14:05:12"), lines=("101", "e1"), chain_id="c")
    fields = upload_fields(reading, ZoneInfo("Europe/Moscow"))
    assert fields == {
        "started_at": "2026-01-31T14:05:12+03:00",
        "metadata": '{"lines": "101 e1", "chain_id": "c"}',
    }
    assert "started_at" not in upload_fields(reading, None)


def test_a_sidecar_goes_before_a_name() -> None:
    reading = Reading(call_id="1", operator="101", metadata={"campaign": "winter", "site": "a"})
    fields = upload_fields(reading, None, {"operator": "Анна", "metadata": '{"site": "b"}'})
    assert fields == {"call_id": "1", "operator": "Анна", "metadata": '{"campaign": "winter", "site": "b"}'}
