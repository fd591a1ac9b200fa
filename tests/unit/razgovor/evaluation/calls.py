"""Transcripts and references for tests of the evaluation."""

from __future__ import annotations

from pipeline.contracts.events import Timings
from pipeline.contracts.transcript import Channel, Provenance, Transcript, Turn, Warning_, Word
from razgovor.evaluation.references import Reference, SaidTurn

WORD_S = 0.5


def turn(channel: int, start_s: float, text: str) -> Turn:
    """One word every WORD_S."""
    words = tuple(
        Word(
            text=word,
            start_s=start_s + index * WORD_S,
            end_s=start_s + (index + 1) * WORD_S,
            confidence=0.9,
        )
        for index, word in enumerate(text.split())
    )
    return Turn(
        channel=channel,
        role=None,
        start_s=start_s,
        end_s=words[-1].end_s,
        text=text,
        confidence=0.9,
        words=words,
    )


def transcript(
    *turns: Turn, mode: str = "stereo", duration_s: float = 20.0, warnings: tuple[str, ...] = ()
) -> Transcript:
    channels = 1 if mode == "mono" else 2
    roles = ("operator", "customer") if mode == "stereo" else (None, None)
    return Transcript(
        job_id="j",
        run=1,
        call_id="c",
        client="acme",
        language="ru",
        channel_mode=mode,
        duration_s=duration_s,
        partial=False,
        warnings=tuple(Warning_(code=code) for code in warnings),
        channels=tuple(Channel(index=index, role=roles[index], speech_s=1.0) for index in range(channels)),
        turns=turns,
        suppressed=(),
        timings=Timings(),
        provenance=Provenance(audio_sha256="0" * 64, engine="e", model="m", model_sha256="0" * 64, parameters={}),
    )


def said(channel: int | None, text: str, start_s: float | None = None, end_s: float | None = None) -> SaidTurn:
    return SaidTurn(channel=channel, text=text, start=start_s, end=end_s)


def reference(*turns: SaidTurn) -> Reference:
    return Reference(turns=turns)
