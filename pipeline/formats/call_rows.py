"""One call as a row of the workbook over many calls: what is known of it, and figures computed from its transcript.

Called by `razgovor transcribe` and by reports of ingest; what comes next is `xlsx_calls`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from pipeline.contracts.call_info import CallInfo, chain_of
from pipeline.contracts.transcript import Channel, Transcript
from pipeline.formats import warnings
from pipeline.formats.speakers import labels
from pipeline.formats.wording import wording

OPERATOR: Final = "operator"
CUSTOMER: Final = "customer"


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch of the call in which nobody speaks."""

    start_s: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A call in the table of calls; None is what nobody knows.

    Attributes:
        key: Leads to the `Dialogue` with the same key; unique in the workbook.
        name: The recording as its owner calls it.
        state: Of `pipeline.contracts.states`.
        reason: Code of the failure, its text's figures in `details`.
        started_at: With the zone that the client gave.
        chain: What the parts of a transferred call have in common.
        operator_share: Share of all speech, 0 to 1.
        customer_share: The same of the other side.
        channel_shares: Shares of channels with another role or none, by channel index from 0.
        confidence: Mean over words, 0 to 1.
        remarks: Warnings of the transcript as sentences.
    """

    key: str
    name: str
    state: str
    reason: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    operator: str | None = None
    direction: str | None = None
    customer_number: str | None = None
    chain: str | None = None
    duration_s: float | None = None
    operator_share: float | None = None
    customer_share: float | None = None
    channel_shares: Mapping[int, float] = field(default_factory=dict)
    longest_silence: Silence | None = None
    words: int | None = None
    confidence: float | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was said in the call of the row with the same key."""

    key: str
    name: str
    transcript: Transcript


def call_row(
    *,
    key: str,
    name: str,
    state: str,
    reason: str | None = None,
    details: Mapping[str, str] | None = None,
    transcript: Transcript | None = None,
    info: CallInfo | None = None,
    locale: str,
) -> CallRow:
    """A call's row: its state from the job, people and date from call.json, figures from the transcript.

    Args:
        key: Unique in the workbook: the job's id, or a path.
        name: The recording as its owner calls it.
        state: The job's state.
        reason: Why it failed.
        details: Figures of the reason.
        transcript: None if there is none; the row then has no figures.
        info: None if nothing was given.
        locale: Language of the remarks, `ru` or `en`.
    """
    known = info or CallInfo()
    row = CallRow(
        key=key,
        name=name,
        state=state,
        reason=reason,
        details=details or {},
        started_at=known.started_at,
        operator=known.operator,
        direction=known.direction,
        customer_number=known.customer_number,
        chain=chain_of(known.metadata),
    )
    return row if transcript is None else _with_figures(row, transcript, locale)


def longest_silence(transcript: Transcript) -> Silence | None:
    """The longest stretch without a turn on any channel, the call's beginning and end included; None if there is none."""
    spoken = sorted((turn.start_s, turn.end_s) for turn in transcript.turns)
    silences: list[Silence] = []
    silent_from_s = 0.0
    for start_s, end_s in [*spoken, (transcript.duration_s, transcript.duration_s)]:
        if start_s > silent_from_s:
            silences.append(Silence(silent_from_s, start_s - silent_from_s))
        silent_from_s = max(silent_from_s, end_s)
    return max(silences, key=lambda silence: silence.duration_s, default=None)


def _with_figures(row: CallRow, transcript: Transcript, locale: str) -> CallRow:
    words = wording(locale)
    tells_sides = bool(labels(transcript, words)) and transcript.speech_s > 0
    channels = transcript.channels if tells_sides else ()
    sides = {channel.role for channel in channels}
    return replace(
        row,
        duration_s=transcript.duration_s,
        operator_share=_share(channels, OPERATOR) if OPERATOR in sides else None,
        customer_share=_share(channels, CUSTOMER) if CUSTOMER in sides else None,
        channel_shares=dict(_other_shares(channels)),
        longest_silence=longest_silence(transcript),
        words=len(transcript.words),
        confidence=transcript.confidence,
        remarks=warnings.sentences(transcript, words),
    )


def _share(channels: tuple[Channel, ...], role: str) -> float:
    total_s = sum(channel.speech_s for channel in channels)
    return sum(channel.speech_s for channel in channels if channel.role == role) / total_s


def _other_shares(channels: tuple[Channel, ...]) -> Iterator[tuple[int, float]]:
    total_s = sum(channel.speech_s for channel in channels)
    for channel in channels:
        if channel.role not in {OPERATOR, CUSTOMER}:
            yield channel.index, channel.speech_s / total_s
