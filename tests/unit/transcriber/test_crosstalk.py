from __future__ import annotations

from pathlib import Path

import numpy as np

from services.transcriber.domain.crosstalk import CrosstalkRule, Frames, gate_db, leaking
from services.transcriber.domain.packing import PackingRule
from services.transcriber.domain.preparation import ChannelFrames, Rules, separate, windows_of
from services.transcriber.domain.timeline import FRAME_SAMPLES

RULE = CrosstalkRule()
NOISE_DB = -60.0
FRAMES = 200


def voice(*stretches: tuple[int, int, float]) -> ChannelFrames:
    levels = np.full(FRAMES, NOISE_DB, dtype=np.float32)
    likely = np.zeros(FRAMES, dtype=np.float32)
    for start, end, level_db in stretches:
        levels[start:end] = level_db
        likely[start:end] = 0.9
    return ChannelFrames(
        probabilities=likely,
        levels_db=levels,
        clipped=np.zeros(FRAMES, dtype=np.bool_),
        samples=FRAMES * FRAME_SAMPLES,
        silent=False,
    )


def starts(*channels: ChannelFrames) -> list[tuple[list[int], list[int]]]:
    return [
        (
            [piece.speech.start // FRAME_SAMPLES for piece in speech.own],
            [piece.speech.start // FRAME_SAMPLES for piece in speech.leaks],
        )
        for speech in separate(channels, Rules())
    ]


def test_an_attenuated_late_copy_is_a_leak() -> None:
    assert starts(voice((20, 80, -20.0)), voice((23, 83, -44.0))) == [([20], []), ([], [23])]


def test_two_people_at_once_are_both_heard() -> None:
    assert starts(voice((20, 80, -20.0)), voice((40, 100, -26.0))) == [([20], []), ([40], [])]


def test_a_quiet_person_is_heard_while_the_other_is_silent() -> None:
    assert starts(voice((20, 60, -15.0)), voice((100, 150, -45.0))) == [([20], []), ([100], [])]


def test_an_answer_into_the_end_of_a_leak_is_cut_from_it() -> None:
    [_, customer] = separate([voice((20, 80, -20.0)), voice((23, 80, -44.0), (80, 120, -22.0))], Rules())

    [own], [leak] = customer.own, customer.leaks
    assert abs(own.speech.start // FRAME_SAMPLES - 80) <= 10
    assert own.speech.end == 120 * FRAME_SAMPLES
    assert leak.speech.end <= own.speech.start


def test_a_soft_end_of_a_word_is_no_leak() -> None:
    speech = separate([voice((60, 120, -15.0)), voice((20, 60, -20.0), (60, 64, -40.0))], Rules())

    assert speech[1].leaks == ()
    assert speech[1].own[0].speech.end >= 60 * FRAME_SAMPLES


def test_a_line_that_hums_louder_than_the_other_side_speaks_is_no_source() -> None:
    humming = voice((150, 190, -5.0))
    humming.levels_db[:140] = -10.0

    assert starts(voice((20, 80, -30.0)), humming) == [([20], []), ([150], [])]


def test_a_single_channel_has_no_leaks() -> None:
    assert starts(voice((20, 80, -44.0))) == [([20], [])]


def test_the_loudest_of_many_channels_makes_the_gate() -> None:
    quiet: Frames = np.full(5, -70, dtype=np.float32)
    loud: Frames = np.array([-70, -20, -70, -70, -70], dtype=np.float32)

    assert gate_db([quiet, loud], RULE).tolist() == [-85, -35, -35, -35, -35]


def test_where_nobody_speaks_nothing_leaks() -> None:
    silence: Frames = np.full(20, -70, dtype=np.float32)

    assert not leaking(silence, np.zeros(20, dtype=np.float32), gate_db([silence], RULE), RULE).any()


def test_windows_know_their_call_channel_and_file() -> None:
    channel = voice((20, 80, -20.0))
    [speech] = separate([channel], Rules())

    [window] = windows_of(speech.own, channel.levels_db, call="j/1", channel=1, pcm=Path("1.f32"), rule=PackingRule())

    assert (window.call, window.channel, window.index, window.pcm) == ("j/1", 1, 0, Path("1.f32"))
    assert window.pieces == speech.own
