from __future__ import annotations

import pytest

from pipeline.contracts.transcript import Channel
from pipeline.formats.speakers import dialogue, labels
from pipeline.formats.wording import wording
from tests.unit.pipeline.formats import calls


@pytest.mark.parametrize(
    ("roles", "mode", "expected"),
    [
        (("operator", "customer"), "stereo", {0: "Оператор", 1: "Клиент"}),
        (("customer", "operator"), "stereo", {0: "Клиент", 1: "Оператор"}),
        ((None, None), "stereo", {0: "Канал 1", 1: "Канал 2"}),
        (("operator", None), "stereo", {0: "Оператор", 1: "Канал 2"}),
        (
            ("customer", "operator", "customer"),
            "multichannel",
            {0: "Клиент (Канал 1)", 1: "Оператор", 2: "Клиент (Канал 3)"},
        ),
        (("supervisor", "customer"), "stereo", {0: "supervisor", 1: "Клиент"}),
        (("\x00", "customer"), "stereo", {0: "Канал 1", 1: "Клиент"}),
        ((None,), "mono", {}),
        ((None, None), "dual_mono", {}),
    ],
)
def test_speakers_are_named_by_role_else_by_channel(
    roles: tuple[str | None, ...], mode: str, expected: dict[int, str]
) -> None:
    channels = tuple(Channel(index=index, role=role, speech_s=1) for index, role in enumerate(roles))
    assert labels(calls.transcript(channels=channels, channel_mode=mode), wording("ru")) == expected


def test_a_locale_that_we_do_not_have_reads_english() -> None:
    assert labels(calls.transcript(), wording("kk")) == {0: "Operator", 1: "Customer"}


def test_a_dialogue_goes_by_time_then_by_channel() -> None:
    turns = [
        calls.turn("c", channel=0, start_s=2),
        calls.turn("b", channel=1, start_s=1),
        calls.turn("a", channel=0, start_s=1),
    ]
    assert [turn.text for turn in dialogue(calls.transcript(turns))] == ["a", "b", "c"]
