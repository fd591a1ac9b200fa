"""Did every sample become what it must? Pure: rows and transcripts in, verdict out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.contracts.transcript import Transcript
from razgovor import scoring
from razgovor.demo.samples import Sample
from razgovor.scoring import Score
from razgovor.transcription.summary import Row

#: Over the calls; Whisper base was measured at 10-13 % on them.
LIMIT_WER: Final = 0.15


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the samples became.

    Attributes:
        wer: By file, where there is a reference.
        calls: Errors and words over the calls.
        scored_calls: How many calls these are over.
        people: The same over people recorded elsewhere.
        right_side: Words of stereo calls on the channel of their speaker, and all that were found on either.
        faults: What is not as expected, one line each.
    """

    wer: Mapping[str, float]
    calls: Score
    scored_calls: int
    people: Score
    right_side: tuple[int, int]
    faults: tuple[str, ...] = field(default=())


def judge(samples: Sequence[Sample], rows: Sequence[Row], transcripts: Mapping[str, Transcript]) -> Verdict:
    """Hold rows and transcripts (by file) against the samples' truths."""
    by_file = {row.file: row for row in rows}
    scores = {
        sample.file: _score(sample, transcripts[sample.file])
        for sample in samples
        if sample.turns and sample.file in transcripts
    }
    calls = sum((scores[one.file] for one in samples if one.kind == "call" and one.file in scores), Score(0, 0))
    people = sum((scores[one.file] for one in samples if one.kind == "people" and one.file in scores), Score(0, 0))
    sides = [
        _sides(sample, transcripts[sample.file])
        for sample in samples
        if sample.kind == "call" and sample.file in scores
    ]
    faults = [fault for sample in samples for fault in _faults(sample, by_file.get(sample.file))]
    if calls.wer > LIMIT_WER:
        faults.append(f"WER of the calls is {calls.wer:.1%}, over {LIMIT_WER:.0%}")
    return Verdict(
        wer={file: score.wer for file, score in scores.items()},
        calls=calls,
        scored_calls=len(sides),
        people=people,
        right_side=(sum(right for right, _ in sides), sum(both for _, both in sides)),
        faults=tuple(faults),
    )


def _score(sample: Sample, transcript: Transcript) -> Score:
    return sum(
        (scoring.score(sample.text_of(channel), _heard(transcript, channel)) for channel in sample.channels),
        Score(0, 0),
    )


def _heard(transcript: Transcript, channel: int) -> str:
    return " ".join(turn.text for turn in transcript.turns if turn.channel == channel)


def _sides(sample: Sample, transcript: Transcript) -> tuple[int, int]:
    """Distinct words that only one speaker said: found on the right side, found at all."""
    said = {channel: set(scoring.normalise(sample.text_of(channel)).split()) for channel in sample.channels}
    heard = {channel: set(scoring.normalise(_heard(transcript, channel)).split()) for channel in sample.channels}
    right = wrong = 0
    for channel in sample.channels:
        others = [other for other in sample.channels if other != channel]
        mine = said[channel].difference(*(said[other] for other in others))
        right += len(mine & heard[channel])
        wrong += sum(len(mine & heard[other]) for other in others)
    return right, right + wrong


def _faults(sample: Sample, row: Row | None) -> Iterator[str]:
    if row is None:
        yield f"{sample.file}: no result"
        return
    if (row.state, row.reason) != (sample.state, sample.reason):
        yield f"{sample.file}: {row.state} {row.reason or ''}, expected {sample.state} {sample.reason or ''}".strip()
    if sample.kind == "nonspeech" and row.words:
        yield f"{sample.file}: {row.words} words where nobody speaks"
