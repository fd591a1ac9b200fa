"""The parameters in a transcript's provenance: all that may change words, and nothing that may not."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline.service import ServiceSettings
from services.transcriber.__main__ import engine, onnx_options, whisper_options
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions, onnx_facts, whisper_facts
from services.transcriber.batching import Nobody, courses
from services.transcriber.domain.crosstalk import CrosstalkRule
from services.transcriber.domain.hearing import Capacity
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.result import EngineFacts
from services.transcriber.fakes import FakeRecognizer
from services.transcriber.models.formats import format_of
from services.transcriber.settings import TranscriberSettings

FILES = ModelFiles(Path("base"), "base", "1" * 64)

#: Settings that may change words, each with another value than ships.
CHANGES_WORDS = {
    "device": "cuda",
    "compute_type": "float32",
    "beam_size": 1,
    "axis_step_s": 2.5,
    "axis_pause_s": 0.5,
    "axis_least_s": 5.0,
    "window_s": 20.0,
    "vad_threshold": 0.4,
    "vad_min_silence_s": 0.2,
    "vad_pad_s": 0.2,
}
#: Settings that decide how fast, how many and how patiently.
CHANGES_NO_WORD = {
    "retry_delay_s": 1.0,
    "max_in_flight": 7,
    "front_ends": 3,
    "long_recording_s": 60.0,
    "takeover_after_s": 5.0,
    "model_cache_dir": "elsewhere",
    "workers": 3,
    "threads": 2,
    "batch_size": 8,
    "devices": "0,1",
    "batches_ahead": 1,
    "express_workers": 0,
    "linger_s": 0.0,
    "max_duration_s": 60.0,
    "max_channels": 2,
    "decode_timeout_s": 60.0,
    "decode_memory_bytes": 2**30,
    "engine_start_timeout_s": 30.0,
    "engine_base_timeout_s": 30.0,
    "engine_timeout_per_speech_s": 5.0,
    "engine_memory_bytes": 2**30,
}
#: Told by the provenance's other fields.
STANDS_BESIDE = {"engine", "model"}


def settings(**chosen: object) -> TranscriberSettings:
    values = {"bootstrap_servers": "127.0.0.1:1", "store_url": "file:///nonexistent"}
    return TranscriberSettings.model_validate({**values, **chosen})


def told(facts: EngineFacts, chosen: TranscriberSettings, *, searches: bool = True) -> EngineFacts:
    recognizer = FakeRecognizer(Capacity(searches=searches))
    recognizer.facts = facts
    return engine(chosen, [recognizer], lambda _call: None, Nobody()).facts


def of_whisper(**chosen: object) -> EngineFacts:
    made = settings(**chosen)
    return told(whisper_facts(FILES, whisper_options(made, 0)), made)


def of_gigaam(**chosen: object) -> EngineFacts:
    made = settings(**chosen)
    options = onnx_options(made, format_of("gigaam-v3-ctc", "int8"), 0)
    return told(onnx_facts(FILES, options, installed=lambda _name: "1"), made, searches=False)


def test_all_that_may_change_words_stands_there() -> None:
    assert of_whisper().parameters == {
        "device": "cpu",
        "compute_type": "int8",
        "beam_size": 5,
        "axis_step_s": 5.0,
        "axis_pause_s": 1.0,
        "axis_least_s": 10.0,
        "axis_whole_s": 30.0,
        "retries": "1",
        "preparation": "1",
        "vad": f"silero-vad {version('silero-vad')}",
        "vad_threshold": 0.5,
        "vad_end_threshold": 0.35,
        "vad_min_silence_s": 0.3,
        "vad_min_speech_s": 0.1,
        "vad_pad_s": 0.3,
        "window_s": 28.0,
        "window_least_s": 5.0,
        "window_slack_s": 2.0,
        "crosstalk_delay_s": 0.25,
        "crosstalk_attenuation_db": 15.0,
        "crosstalk_active_probability": 0.5,
        "crosstalk_source_probability": 0.35,
        "crosstalk_min_own_share": 0.3,
        "crosstalk_around_s": 0.32,
        "crosstalk_min_leak_s": 0.25,
        "likeness_delay_s": 0.25,
        "likeness_gain_db": 15.0,
        "likeness_correlation": 0.9,
        "likeness_active_probability": 0.5,
        "likeness_explained_db": 3.0,
        "likeness_noise_db": 6.0,
        "likeness_strange_share": 0.02,
        "likeness_strange_s": 0.25,
    }


def test_an_engine_without_a_search_says_neither_how_it_searches_nor_how_often() -> None:
    of_engine = of_gigaam().parameters.keys() - Rules().parameters.keys()

    assert of_engine == {
        *("device", "kind", "quantization", "vad"),
        *("axis_step_s", "axis_pause_s", "axis_least_s", "axis_whole_s"),
    }
    assert of_gigaam(beam_size=1, compute_type="float32", axis_step_s=2.5).parameters_sha256 == (
        of_gigaam().parameters_sha256
    )


def test_of_every_setting_it_is_known_whether_it_may_change_words() -> None:
    own = TranscriberSettings.model_fields.keys() - ServiceSettings.model_fields.keys()

    assert own == CHANGES_WORDS.keys() | CHANGES_NO_WORD.keys() | STANDS_BESIDE


@pytest.mark.parametrize("name", CHANGES_WORDS)
def test_what_may_change_words_changes_the_hash(name: str) -> None:
    assert of_whisper(**{name: CHANGES_WORDS[name]}).parameters_sha256 != of_whisper().parameters_sha256


@pytest.mark.parametrize("name", CHANGES_NO_WORD)
def test_what_changes_no_word_leaves_the_hash(name: str) -> None:
    assert of_whisper(**{name: CHANGES_NO_WORD[name]}).parameters_sha256 == of_whisper().parameters_sha256


def test_another_rule_of_leaks_is_another_set_of_parameters() -> None:
    changed = replace(Rules(), crosstalk=CrosstalkRule(attenuation_db=18.0))

    assert changed.parameters.keys() == Rules().parameters.keys()
    assert changed.parameters != Rules().parameters


def test_the_version_of_the_retries_is_raised_when_their_values_change() -> None:
    values = (courses.DOUBTFUL_LOGPROB, courses._UNLIKELY_SPEECH, courses._CAREFUL_BEAM, courses._CHANCE_TEMPERATURE)

    assert (courses.VERSION, *values, courses._MIN_CUT_SAMPLES) == ("1", -1.0, 0.6, 5, 0.4, 32_000)


def test_what_ships_is_what_the_parts_do_by_themselves() -> None:
    shipped = whisper_options(settings(express_workers=0), 0)

    assert shipped == WhisperOptions()
