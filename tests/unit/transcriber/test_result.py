from __future__ import annotations

import hashlib
from dataclasses import replace

from pipeline.contracts.transcript import Quality, Suppressed, Transcript, Warning_
from services.transcriber.domain import filters
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.prepared import PreparedChannel
from services.transcriber.domain.result import assemble
from services.transcriber.domain.signal import Signal
from services.transcriber.domain.windows import GivenUp, HeardWord, WindowWords
from services.transcriber.fakes import TWO_SPEAKERS, FakeEngine, window
from tests.unit.transcriber.events import uploaded

RUSSIAN = Hearing(language="ru")

NOTHING = WindowWords(words=())


def sides(transcript: Transcript) -> list[tuple[int, str | None, float]]:
    return [(channel.index, channel.role, channel.speech_s) for channel in transcript.channels]


def test_words_of_each_channel_stand_under_its_role() -> None:
    heard = FakeEngine().transcribe(TWO_SPEAKERS.windows, RUSSIAN)

    transcript = assemble(uploaded(), TWO_SPEAKERS, heard, FakeEngine.facts, 3)

    assert [(turn.role, turn.start_s, turn.end_s, turn.text) for turn in transcript.turns] == [
        ("operator", 1.0, 3.0, "ru00 ru01 ru02 ru03"),
        ("customer", 4.0, 6.0, "ru10 ru11 ru12 ru13"),
    ]
    assert sides(transcript) == [(0, "operator", 2.0), (1, "customer", 2.0)]
    assert transcript.channel_mode == "stereo"
    assert transcript.warnings == ()
    assert not transcript.partial
    assert transcript.timings.model_dump() == {"queue_wait_ms": 3, "decode_ms": 5, "vad_ms": 7, "engine_ms": 20}
    assert transcript.provenance.model_dump() == {
        "audio_sha256": uploaded().audio.sha256,
        "engine": "fake 1",
        "model": "numbers",
        "model_sha256": "0" * 64,
        "parameters": {"beam_size": 1},
        "parameters_sha256": hashlib.sha256(b'{"beam_size": 1}').hexdigest(),
        "glossary": None,
        "filters": filters.VERSION,
    }


def test_where_no_words_came_out_there_was_no_speech() -> None:
    transcript = assemble(uploaded(), TWO_SPEAKERS, [NOTHING, NOTHING], FakeEngine.facts, 0)

    assert (transcript.turns, transcript.speech_s) == ((), 0)


def test_a_recording_without_windows_is_a_transcript_without_turns() -> None:
    call = replace(TWO_SPEAKERS, windows=(), channels=(PreparedChannel(silent=True), PreparedChannel(silent=True)))

    transcript = assemble(uploaded(), call, [], FakeEngine.facts, 0)

    assert transcript.turns == ()
    assert transcript.warnings == (
        Warning_(code="silent_channel", details={"channel": 0}),
        Warning_(code="silent_channel", details={"channel": 1}),
    )


def test_mono_has_no_roles_and_says_so() -> None:
    call = replace(TWO_SPEAKERS, channels=(PreparedChannel(),), windows=TWO_SPEAKERS.windows[:1])

    transcript = assemble(uploaded(), call, FakeEngine().transcribe(call.windows, RUSSIAN), FakeEngine.facts, 0)

    assert (transcript.channel_mode, [turn.role for turn in transcript.turns]) == ("mono", [None])
    assert transcript.warnings == (Warning_(code="mono"),)


def test_dual_mono_keeps_both_channels_and_counts_speech_once() -> None:
    call = replace(TWO_SPEAKERS, identical_channels=True, windows=TWO_SPEAKERS.windows[:1])

    transcript = assemble(uploaded(), call, FakeEngine().transcribe(call.windows, RUSSIAN), FakeEngine.facts, 0)

    assert transcript.channel_mode == "dual_mono"
    assert transcript.warnings == (Warning_(code="dual_mono"),)
    assert sides(transcript) == [(0, None, 2.0), (1, None, 0.0)]


def test_a_truncated_recording_is_partial_and_tells_both_lengths() -> None:
    call = replace(TWO_SPEAKERS, truncated=True, declared_duration_s=60.0)

    transcript = assemble(uploaded(), call, [NOTHING, NOTHING], FakeEngine.facts, 0)

    assert transcript.partial
    assert transcript.warnings == (Warning_(code="truncated_audio", details={"declared_s": 60.0, "decoded_s": 10.0}),)


def test_what_is_kept_out_is_listed_by_time_with_its_reason() -> None:
    leak = window(1, (0.5, 0.9)).pieces[0]
    call = replace(TWO_SPEAKERS, channels=(PreparedChannel(), PreparedChannel(leaks=(leak,))))
    credits_ = tuple(
        HeardWord(f" {word}", number * 0.4, number * 0.4 + 0.4, 0.5)
        for number, word in enumerate(("Субтитры", "сделал", "DimaTorzok"))
    )
    heard = [
        WindowWords(words=(), given_up=(GivenUp(0.0, 2.0, "ааа", "repetition"),)),
        WindowWords(words=credits_),
    ]

    transcript = assemble(uploaded(), call, heard, FakeEngine.facts, 0)

    assert transcript.turns == ()
    assert transcript.suppressed == (
        Suppressed(channel=1, start_s=0.5, end_s=0.9, text="", reason="crosstalk"),
        Suppressed(channel=0, start_s=1.0, end_s=3.0, text="ааа", reason="repetition"),
        Suppressed(channel=1, start_s=4.0, end_s=5.2, text="Субтитры сделал DimaTorzok", reason="credits"),
    )


def test_words_that_the_engine_itself_doubts_are_kept_out() -> None:
    doubted = WindowWords(words=(HeardWord(" шум", 0.0, 1.0, 0.1),), no_speech_prob=0.9, avg_logprob=-1.5)

    transcript = assemble(uploaded(), TWO_SPEAKERS, [doubted, NOTHING], FakeEngine.facts, 0)

    assert transcript.turns == ()
    assert [(item.text, item.reason) for item in transcript.suppressed] == [("шум", "no_speech")]


def test_words_of_a_window_that_failed_have_confidence_0() -> None:
    failed = WindowWords(words=(HeardWord(" неясно", 0.0, 1.0, 0.7),), no_speech_prob=0.1, avg_logprob=-1.2)

    transcript = assemble(uploaded(), TWO_SPEAKERS, [failed, NOTHING], FakeEngine.facts, 0)

    assert [(word.text, word.confidence) for word in transcript.words] == [("неясно", 0)]


def test_quality_stands_by_channel_and_for_the_call() -> None:
    loud = Signal(level_db=-20.0, noise_db=-50.0, loudest_db=-15.0)
    poor = Signal(level_db=-40.0, noise_db=-50.0, loudest_db=-35.0)
    call = replace(TWO_SPEAKERS, channels=(PreparedChannel(signal=loud), PreparedChannel(signal=poor)))
    sure = WindowWords(words=(HeardWord(" да", 0, 1, 0.9), HeardWord(" да", 1, 2, 0.9)), avg_logprob=-0.2)
    doubtful = WindowWords(words=(HeardWord(" кажется", 0, 1, 0.3),), avg_logprob=-0.8)

    transcript = assemble(uploaded(), call, [sure, doubtful], FakeEngine.facts, 0)

    assert transcript.channels[0].quality == Quality(
        avg_logprob=-0.2, low_confidence_share=0, words_per_s=1.0, level_db=-20, noise_db=-50, snr_db=30.0
    )
    assert transcript.channels[1].quality == Quality(
        avg_logprob=-0.8, low_confidence_share=1, words_per_s=0.5, level_db=-40, noise_db=-50, snr_db=9.5
    )
    assert transcript.quality == Quality(
        avg_logprob=-0.4, low_confidence_share=0.333, words_per_s=0.75, level_db=-40, noise_db=-50, snr_db=9.5
    )


def test_of_what_is_not_there_quality_says_nothing() -> None:
    transcript = assemble(uploaded(), TWO_SPEAKERS, [NOTHING, NOTHING], FakeEngine.facts, 0)

    assert transcript.quality == Quality()
    assert [channel.quality for channel in transcript.channels] == [Quality(), Quality()]
