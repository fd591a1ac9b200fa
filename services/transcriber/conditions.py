"""How a call is to be heard: its language, told by ear if that is asked for, and its client's glossary. Used by `handler`.

Reads by ports: the engine listens for the language, the store holds glossaries and the checks that they passed.
"""

from __future__ import annotations

from typing import Final

from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts import layout
from pipeline.contracts.events import AudioUploaded
from pipeline.contracts.glossary import Glossary, is_glossary_id
from pipeline.contracts.transcript import LanguageDetection, Warning_
from services.transcriber.domain.conditions import Conditions
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.language import choose, telling
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.ports import Engine, Ports

#: The glossary is not in the store, or is not what its id says.
MISSING: Final = "glossary_missing"
#: It has not passed its check with this model and these parameters.
UNCHECKED: Final = "glossary_unchecked"


def conditions_of(event: AudioUploaded, call: PreparedCall, ports: Ports) -> Conditions:
    """How to hear the call. A glossary that cannot be had costs no call: it is heard without, and the transcript says so.

    Raises:
        Transient: The store does not answer.
        EngineCrashed, Postponed, Fatal: See `ports.Engine.transcribe`.
    """
    detection = _detected(event, call, ports.engine)
    language = event.language if detection is None else detection.language
    if event.glossary_id is None or not call.windows:
        return Conditions(language=language, detection=detection)
    told = _glossary(event.client_id, event.glossary_id, ports)
    if isinstance(told, Glossary):
        return Conditions(language=language, detection=detection, glossary=told)
    return Conditions(language=language, detection=detection, warnings=(Warning_(code=told),))


def hearing_of(event: AudioUploaded, conditions: Conditions) -> Hearing:
    """The same for the engine."""
    prompt = "" if conditions.glossary is None else conditions.glossary.prompt
    return Hearing(language=conditions.language, priority=event.priority, prompt=prompt)


def _detected(event: AudioUploaded, call: PreparedCall, engine: Engine) -> LanguageDetection | None:
    if not event.languages or not call.windows:
        return None
    heard = engine.transcribe(telling(call.windows), Hearing(language=None, priority=event.priority))
    return choose([words.languages for words in heard], event.languages, event.language)


def _glossary(client_id: str, glossary_id: str, ports: Ports) -> Glossary | str:
    """The glossary, or the code of why it may not be told."""
    if not is_glossary_id(glossary_id):
        return MISSING
    data = _object(ports.store, layout.glossary_key(client_id, glossary_id))
    glossary = None if data is None else Glossary.from_bytes(data)
    if glossary is None or glossary.glossary_id != glossary_id:
        return MISSING
    facts = ports.engine.facts
    check = layout.glossary_check_key(client_id, glossary_id, facts.model_sha256, facts.parameters_sha256)
    return UNCHECKED if _object(ports.store, check) is None else glossary


def _object(store: BlobStore, key: str) -> bytes | None:
    try:
        return store.read(key)
    except BlobNotFound:
        return None
