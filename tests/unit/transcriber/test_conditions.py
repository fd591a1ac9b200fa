from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from pipeline.contracts.events import AudioUploaded
from pipeline.contracts.glossary import Glossary
from pipeline.contracts.transcript import LanguageDetection, Transcript
from services.transcriber.domain.language import choose, telling
from services.transcriber.fakes import TWO_SPEAKERS, FakeEngine, FakeFrontEnd, window
from services.transcriber.handler import handle
from services.transcriber.ports import Ports
from tests.unit.transcriber.events import ACCEPTED_AT, AUDIO, uploaded

GLOSSARY = Glossary(name="tariffs", terms=("Семейный плюс", "Мегабит"))
CLIENT = "client-1"
MODEL = FakeEngine.facts.model_sha256
PARAMETERS = FakeEngine.facts.parameters_sha256


def told(event: AudioUploaded, engine: FakeEngine, *objects: tuple[str, bytes]) -> Transcript:
    store = MemoryStore()
    for key, data in ((event.audio.key, AUDIO), *objects):
        store.put(key, data, media_type="application/json")
    [put] = handle(event, ACCEPTED_AT, Ports(store, FakeFrontEnd(), engine)).effects
    return Transcript.from_bytes(put.data)


def by_ear(*languages: str) -> AudioUploaded:
    return uploaded().model_copy(update={"languages": languages})


def with_glossary(glossary_id: str = GLOSSARY.glossary_id) -> AudioUploaded:
    return uploaded().model_copy(update={"glossary_id": glossary_id})


def kept(glossary: Glossary = GLOSSARY) -> tuple[str, bytes]:
    return layout.glossary_key(CLIENT, GLOSSARY.glossary_id), glossary.to_bytes()


def passed(model_sha256: str = MODEL, parameters_sha256: str = PARAMETERS) -> tuple[str, bytes]:
    return layout.glossary_check_key(CLIENT, GLOSSARY.glossary_id, model_sha256, parameters_sha256), b"{}"


def passed_with_an_older_release() -> tuple[str, bytes]:
    return layout.glossary_checks_prefix(CLIENT, GLOSSARY.glossary_id) + MODEL, b"{}"


def test_a_fixed_language_is_not_listened_for() -> None:
    engine = FakeEngine(spoken={"en": 0.99})

    transcript = told(uploaded(), engine)

    assert (transcript.language, transcript.language_detection) == ("ru", None)
    assert [hearing.language for hearing in engine.hearings] == ["ru"]


def test_a_language_that_is_heard_clearly_is_transcribed_in_and_recorded() -> None:
    engine = FakeEngine(spoken={"en": 0.93, "ru": 0.04, "uk": 0.03})

    transcript = told(by_ear("ru", "en"), engine)

    assert transcript.language == "en"
    assert transcript.language_detection == LanguageDetection(
        language="en", clear=True, probabilities={"en": 0.93, "ru": 0.04}, windows=2
    )
    assert [hearing.language for hearing in engine.hearings] == [None, "en"]
    assert transcript.turns[0].text.startswith("en")


@pytest.mark.parametrize("spoken", [{"en": 0.79, "ru": 0.2}, {"uk": 0.99}, {}])
def test_what_is_not_clear_not_allowed_or_not_told_leaves_the_default(spoken: dict[str, float]) -> None:
    transcript = told(by_ear("ru", "en"), FakeEngine(spoken=spoken))

    assert transcript.language == "ru"
    assert transcript.language_detection is not None
    assert not transcript.language_detection.clear


def test_windows_are_averaged_those_that_tell_nothing_left_out() -> None:
    heard = [{"ru": 0.9, "en": 0.1}, {"ru": 0.7, "en": 0.3}, {}]

    assert choose(heard, ("ru", "en"), "en") == LanguageDetection(
        language="ru", clear=True, probabilities={"en": 0.2, "ru": 0.8}, windows=2
    )


def test_the_three_longest_windows_tell_of_whichever_channel() -> None:
    windows = [window(0, (0, 5)), window(0, (6, 20)), window(1, (0, 9)), window(1, (9, 28))]

    assert telling(windows) == [windows[3], windows[1], windows[2]]


def test_a_glossary_that_passed_with_this_model_and_these_parameters_is_told_and_recorded() -> None:
    engine = FakeEngine()

    transcript = told(with_glossary(), engine, kept(), passed())

    assert [hearing.prompt for hearing in engine.hearings] == ["Семейный плюс, Мегабит."]
    assert transcript.provenance.glossary == GLOSSARY.glossary_id
    assert transcript.warnings == ()


@pytest.mark.parametrize(
    ("glossary_id", "objects", "code"),
    [
        (GLOSSARY.glossary_id, [], "glossary_missing"),
        (GLOSSARY.glossary_id, [passed()], "glossary_missing"),
        (GLOSSARY.glossary_id, [kept(Glossary(name="tariffs", terms=("другой",))), passed()], "glossary_missing"),
        (GLOSSARY.glossary_id, [(kept()[0], b"no json"), passed()], "glossary_missing"),
        ("../../jobs/x", [], "glossary_missing"),
        (GLOSSARY.glossary_id, [kept()], "glossary_unchecked"),
        (GLOSSARY.glossary_id, [kept(), passed("f" * 64)], "glossary_unchecked"),
        (GLOSSARY.glossary_id, [kept(), passed(MODEL, "f" * 64)], "glossary_unchecked"),
        (GLOSSARY.glossary_id, [kept(), passed_with_an_older_release()], "glossary_unchecked"),
    ],
)
def test_a_glossary_that_cannot_be_told_costs_no_call(
    glossary_id: str, objects: list[tuple[str, bytes]], code: str
) -> None:
    engine = FakeEngine()

    transcript = told(with_glossary(glossary_id), engine, *objects)

    assert [hearing.prompt for hearing in engine.hearings] == [""]
    assert [warning.code for warning in transcript.warnings] == [code]
    assert transcript.provenance.glossary is None
    assert transcript.words


def test_where_nobody_speaks_neither_language_nor_glossary_is_asked_for() -> None:
    engine = FakeEngine()
    event = by_ear("ru", "en").model_copy(update={"glossary_id": GLOSSARY.glossary_id})
    store = MemoryStore()
    store.put(event.audio.key, AUDIO, media_type="audio/wav")

    outcome = handle(event, ACCEPTED_AT, Ports(store, FakeFrontEnd(replace(TWO_SPEAKERS, windows=())), engine))

    transcript = Transcript.from_bytes(outcome.effects[0].data)
    assert (transcript.language, transcript.language_detection, engine.hearings) == ("ru", None, [])
