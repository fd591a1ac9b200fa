"""Does a glossary help? Calls whose words are known are heard without and with it. Called by `razgovor glossary check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.contracts.glossary import Glossary, GlossaryCheck
from razgovor.evaluation.run import Task, evaluate
from razgovor.local_transcriber import LocalTranscriber


def check(
    glossary: Glossary,
    transcriber: LocalTranscriber,
    to_do: Sequence[Task],
    *,
    language: str,
    done: Callable[[str], None],
) -> GlossaryCheck:
    """Hear all recordings twice and count; `done` is told each name, each time."""
    facts = transcriber.facts
    without = evaluate(facts.model, transcriber, to_do, language=language, done=done)
    told = evaluate(facts.model, transcriber.telling(glossary), to_do, language=language, done=done)
    return GlossaryCheck(
        glossary_id=glossary.glossary_id,
        model=facts.model,
        model_sha256=facts.model_sha256,
        parameters_sha256=facts.parameters_sha256,
        calls=len(to_do),
        words=without.errors.words,
        errors_without=without.errors.errors,
        errors_with=told.errors.errors,
        silence_words_without=without.silence_words,
        silence_words_with=told.silence_words,
    )
