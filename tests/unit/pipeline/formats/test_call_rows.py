from __future__ import annotations

import pytest

from pipeline.contracts.transcript import Channel, Warning_
from pipeline.formats.call_rows import CallRow, Silence, call_row, longest_silence
from tests.unit.pipeline.formats import calls


def test_a_row_says_what_is_known_of_a_call() -> None:
    channels = (
        Channel(index=0, role="operator", speech_s=30.0),
        Channel(index=1, role="customer", speech_s=10.0),
    )
    turns = [calls.turn("раз два", start_s=5, end_s=10), calls.turn("три", channel=1, start_s=40, end_s=50)]
    call = calls.transcript(turns, channels=channels, warnings=(Warning_(code="truncated_audio"),))
    row = call_row(key="k", name="a.wav", state="completed", transcript=call, info=calls.INFO, locale="ru")
    assert row == CallRow(
        key="k",
        name="a.wav",
        state="completed",
        started_at=calls.INFO.started_at,
        operator="Иванова А. П.",
        direction="inbound",
        customer_number="+7 900 000-00-00",
        duration_s=60.0,
        operator_share=0.75,
        customer_share=0.25,
        longest_silence=Silence(10, 30),
        words=3,
        confidence=call.confidence,
        remarks=("Запись неполная: заявлено ?, прочитано ?.",),
    )


def test_a_failed_call_has_its_reason_and_no_figures() -> None:
    row = call_row(key="k", name="a.wav", state="failed", reason="too_long", details={"limit_s": "60"}, locale="ru")
    assert row == CallRow(key="k", name="a.wav", state="failed", reason="too_long", details={"limit_s": "60"})


def test_channels_without_roles_have_shares_of_their_own() -> None:
    channels = tuple(Channel(index=index, role=None, speech_s=seconds) for index, seconds in enumerate((3.0, 1.0)))
    row = call_row(key="k", name="a", state="completed", transcript=calls.transcript(channels=channels), locale="ru")
    assert (row.operator_share, row.customer_share, row.channel_shares) == (None, None, {0: 0.75, 1: 0.25})


@pytest.mark.parametrize(
    ("mode", "speech_s"), [("mono", 10.0), ("dual_mono", 10.0), ("stereo", 0.0)], ids=["mono", "dual mono", "silence"]
)
def test_where_sides_cannot_be_told_nobody_has_a_share(mode: str, speech_s: float) -> None:
    channels = tuple(Channel(index=index, role="operator", speech_s=speech_s) for index in range(2))
    call = calls.transcript(channels=channels, channel_mode=mode)
    row = call_row(key="k", name="a", state="completed", transcript=call, locale="ru")
    assert (row.operator_share, row.customer_share, row.channel_shares) == (None, None, {})


@pytest.mark.parametrize(
    ("spans", "silence"),
    [
        ([], Silence(0, 60)),
        ([(0, 60)], None),
        ([(20, 59)], Silence(0, 20)),
        ([(1, 20)], Silence(20, 40)),
        ([(0, 30), (5, 10), (35, 60)], Silence(30, 5)),
        ([(0, 70)], None),
    ],
)
def test_the_longest_silence_is_where_no_channel_speaks(
    spans: list[tuple[float, float]], silence: Silence | None
) -> None:
    turns = [calls.turn("да", channel=n % 2, start_s=start_s, end_s=end_s) for n, (start_s, end_s) in enumerate(spans)]
    assert longest_silence(calls.transcript(turns)) == silence
