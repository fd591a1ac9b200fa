"""What stands over a dialogue: the call, its recording, and what made the words. Called by TXT, WebVTT and XLSX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Quality, Transcript
from pipeline.formats.plain import one_line
from pipeline.formats.speakers import channel_label, labels
from pipeline.formats.timecodes import clock, milliseconds, zone
from pipeline.formats.wording import Wording


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, 0 to 1, shown as percent."""

    value: float


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the head.

    Attributes:
        label: What it is.
        text: Its value for readers, on one line.
        value: Its value for a sheet that can count with it; None: the text.
        original: The text as the client gave it, where `text` had to become one line.
    """

    label: str
    text: str
    value: datetime | timedelta | Share | int | None = None
    original: str | None = None


def facts(transcript: Transcript, info: CallInfo | None, words: Wording) -> tuple[Fact, ...]:
    """All that is known, the caller's side first; what is not known has no line."""
    return (*_call(transcript, info or CallInfo(), words), *_recording(transcript, words), *made_by(transcript, words))


def made_by(transcript: Transcript, words: Wording) -> tuple[Fact, ...]:
    """Model with the start of its hash, engine, job."""
    made = transcript.provenance
    return (
        Fact(words.labels["model"], one_line(f"{made.model} (sha256 {made.model_sha256[:12]})")),
        Fact(words.labels["engine"], one_line(made.engine)),
        Fact(words.labels["job"], one_line(words.job.format(job_id=transcript.job_id, run=transcript.run))),
    )


def started(info: CallInfo, words: Wording) -> str | None:
    """Date and time as the client gave them, with their zone."""
    if info.started_at is None:
        return None
    return f"{info.started_at.strftime(words.text_date)} {zone(info.started_at)}"


def _call(transcript: Transcript, info: CallInfo, words: Wording) -> Iterator[Fact]:
    yield _text(words.labels["call"], transcript.call_id)
    when = started(info, words)
    if info.started_at is not None and when is not None:
        yield Fact(words.labels["started"], when, info.started_at)
    direction = info.direction and words.directions.get(info.direction, info.direction)
    given = {"direction": direction, "operator": info.operator, "number": info.customer_number, "queue": info.queue}
    given["file"] = info.file_name
    for name, text in given.items():
        if text:
            yield _text(words.labels[name], text)
    for name, text in info.metadata.items():
        yield _text(name, text)


def _recording(transcript: Transcript, words: Wording) -> Iterator[Fact]:
    duration = timedelta(milliseconds=milliseconds(transcript.duration_s))
    yield Fact(words.labels["duration"], clock(transcript.duration_s), duration)
    yield Fact(words.labels["channels"], _mode(transcript, words))
    by_channel = labels(transcript, words)
    if by_channel:
        spoken = (f"{by_channel[channel.index]} {clock(channel.speech_s)}" for channel in transcript.channels)
        yield Fact(words.labels["speech"], ", ".join(spoken))
    else:
        yield Fact(words.labels["speech"], clock(transcript.speech_s))
    yield Fact(words.labels["words"], str(len(transcript.words)), len(transcript.words))
    confidence = transcript.confidence
    if confidence is not None:
        yield Fact(words.labels["confidence"], f"{confidence:.0%}", Share(confidence))
    yield from _quality(transcript, words)
    if transcript.suppressed:
        left_out = words.suppressed.format(count=len(transcript.suppressed))
        yield Fact(words.labels["suppressed"], left_out)
    yield Fact(words.labels["language"], one_line(transcript.language))


def _mode(transcript: Transcript, words: Wording) -> str:
    mode = words.channel_modes.get(transcript.channel_mode, one_line(transcript.channel_mode))
    swapped = any(warning.code == "swapped_channels" for warning in transcript.warnings)
    return words.swapped.format(mode=mode) if swapped else mode


def _quality(transcript: Transcript, words: Wording) -> Iterator[Fact]:
    """What older transcripts do not tell has no line."""
    quality = transcript.quality or Quality()
    if quality.low_confidence_share is not None:
        share = quality.low_confidence_share
        yield Fact(words.labels["doubtful"], f"{share:.0%}", Share(share))
    if quality.words_per_s is not None:
        rate = f"{quality.words_per_s:.1f}".replace(".", words.decimal)
        yield Fact(words.labels["rate"], words.rate.format(value=rate))
    levels = list(_levels(transcript, words))
    if levels:
        yield Fact(words.labels["signal"], ", ".join(levels))


def _levels(transcript: Transcript, words: Wording) -> Iterator[str]:
    for channel in transcript.channels:
        if channel.quality is None or channel.quality.level_db is None:
            continue
        template = words.level if channel.quality.noise_db is None else words.level_and_noise
        yield template.format(
            speaker=channel_label(transcript, channel.index, words),
            level=f"{channel.quality.level_db:.0f}",
            noise=f"{channel.quality.noise_db or 0.0:.0f}",
        )


def _text(label: str, text: str) -> Fact:
    return Fact(one_line(label), one_line(text), original=text)
