from __future__ import annotations

from dataclasses import replace

from pipeline.contracts.transcript import Warning_
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.signal import Signal
from services.transcriber.domain.verdict import warnings
from services.transcriber.fakes import TWO_SPEAKERS, window

AS_WIRED = {0: "operator", 1: "customer"}
GOOD = Signal(level_db=-25.0, noise_db=-60.0, loudest_db=-20.0)


def told(call: PreparedCall, mode: str = "stereo", roles: dict[int, str | None] | None = None) -> list[Warning_]:
    return list(warnings(call, mode, AS_WIRED if roles is None else roles))


def second(channel: PreparedChannel) -> PreparedCall:
    return replace(TWO_SPEAKERS, channels=(PreparedChannel(signal=GOOD), channel))


def test_of_a_good_recording_nothing_is_to_be_said() -> None:
    assert told(second(PreparedChannel(signal=GOOD))) == []


def test_channels_wired_the_other_way_round_are_told() -> None:
    assert told(second(PreparedChannel(signal=GOOD)), roles={0: "customer", 1: "operator"}) == [
        Warning_(code="swapped_channels")
    ]
    assert told(second(PreparedChannel(signal=GOOD)), roles={0: None, 1: None}) == []


def test_a_side_that_was_not_recorded_is_silent_with_or_without_the_noise_of_a_line() -> None:
    silent = [Warning_(code="silent_channel", details={"channel": 1})]

    assert told(second(PreparedChannel(silent=True, signal=Signal()))) == silent
    assert told(second(PreparedChannel(signal=Signal(noise_db=-72.0, loudest_db=-68.0)))) == silent
    assert told(second(PreparedChannel(signal=Signal(noise_db=-45.0, loudest_db=-30.0)))) == []


def test_a_voice_too_quiet_is_told_with_its_level() -> None:
    signal = Signal(level_db=-57.31, noise_db=-70.0, loudest_db=-50.0)

    assert told(second(PreparedChannel(signal=signal))) == [
        Warning_(code="too_quiet", details={"channel": 1, "level_db": -57.3})
    ]


def test_a_voice_too_loud_for_the_scale_is_told_with_its_share() -> None:
    signal = replace(GOOD, clipped_share=0.31234)

    assert told(second(PreparedChannel(signal=signal))) == [
        Warning_(code="clipped", details={"channel": 1, "share": 0.312})
    ]
    assert told(second(PreparedChannel(signal=replace(GOOD, clipped_share=0.08)))) == []


def test_the_other_side_heard_on_a_channel_is_told_with_its_seconds() -> None:
    leaks = window(1, (1.0, 1.6), (3.0, 4.0)).pieces

    assert told(second(PreparedChannel(signal=GOOD, leaks=leaks))) == [
        Warning_(code="crosstalk", details={"channel": 1, "leaked_s": 1.6})
    ]
    assert told(second(PreparedChannel(signal=GOOD, leaks=leaks[:1]))) == []


def test_everything_wrong_at_once_is_told_in_one_order() -> None:
    call = replace(second(PreparedChannel(silent=True, signal=Signal())), truncated=True, declared_duration_s=60.0)

    assert [warning.code for warning in told(call, "dual_mono", {0: None, 1: None})] == [
        "dual_mono",
        "silent_channel",
        "truncated_audio",
    ]
