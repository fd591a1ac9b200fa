"""Recordings through engines, each transcript judged as it comes. Called by `razgovor eval`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from razgovor.evaluation.measures import CallResult, EngineResult, failed, judge
from razgovor.evaluation.references import Reference
from razgovor.local_transcriber import Heard, LocalTranscriber
from razgovor.transcription.recordings import Recording


@dataclass(frozen=True, slots=True)
class Task:
    """A recording and what was said in it."""

    recording: Recording
    reference: Reference


def tasks(recordings: Sequence[Recording], references: Mapping[str, Reference]) -> list[Task]:
    """Those that have a reference."""
    return [
        Task(recording, reference)
        for recording in recordings
        if (reference := references.get(recording.name)) is not None
    ]


def evaluate(
    name: str, transcriber: LocalTranscriber, to_do: Sequence[Task], *, language: str, done: Callable[[str], None]
) -> EngineResult:
    """Hear all recordings with one engine and judge them; `done` is told each name."""
    by_path = {task.recording.path: task for task in to_do}
    judged: dict[str, CallResult] = {}
    for heard in transcriber.hear(list(by_path), language=language):
        task = by_path[heard.path]
        judged[task.recording.name] = _judged(task, heard, language)
        done(task.recording.name)
    calls = tuple(judged[task.recording.name] for task in to_do)
    return EngineResult(name=name, engine=transcriber.engine, calls=calls)


def _judged(task: Task, heard: Heard, language: str) -> CallResult:
    if heard.transcript is None:
        return failed(task.recording.name, heard.reason or "", task.reference, language)
    return judge(task.recording.name, heard.transcript, task.reference)
