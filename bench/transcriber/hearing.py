"""What an arm hears, as a transcript: so all arms are judged by the same rule, `razgovor.evaluation`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.contracts.events import Timings
from pipeline.contracts.transcript import Channel, Provenance, Transcript, Turn, Word

#: A pause after which bare words are another turn, as ours are.
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word of one channel."""

    channel: int
    text: str
    start_s: float
    end_s: float


def transcript_of(words: Iterable[TimedWord], channels: int, duration_s: float, *, one_mix: bool) -> Transcript:
    """Bare words as a transcript; nothing is filtered."""
    mode = "dual_mono" if one_mix else ("stereo" if channels > 1 else "mono")
    return Transcript(
        job_id="bench",
        run=1,
        call_id="bench",
        client="bench",
        language="ru",
        channel_mode=mode,
        duration_s=duration_s,
        partial=False,
        warnings=(),
        channels=tuple(Channel(index=index, role=None, speech_s=0.0) for index in range(channels)),
        turns=tuple(_turns(words)),
        suppressed=(),
        timings=Timings(),
        provenance=Provenance(audio_sha256="", engine="", model="", model_sha256="", parameters={}),
    )


def _turns(words: Iterable[TimedWord]) -> Iterator[Turn]:
    by_channel: dict[int, list[TimedWord]] = defaultdict(list)
    for word in words:
        by_channel[word.channel].append(word)
    for said in by_channel.values():
        turn: list[TimedWord] = []
        for word in said:
            if turn and word.start_s - turn[-1].end_s > _PAUSE_S:
                yield _turn(turn)
                turn = []
            turn.append(word)
        yield _turn(turn)


def _turn(words: list[TimedWord]) -> Turn:
    return Turn(
        channel=words[0].channel,
        role=None,
        start_s=words[0].start_s,
        end_s=words[-1].end_s,
        text=" ".join(word.text.strip() for word in words),
        confidence=None,
        words=tuple(Word(text=word.text, start_s=word.start_s, end_s=word.end_s, confidence=1.0) for word in words),
    )
