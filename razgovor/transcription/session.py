"""Recordings through a running stack: upload, follow, fetch. Called by `razgovor transcribe` and `razgovor demo`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.audio import SNIFF_BYTES, Headerless, sniff_declared
from pipeline.contracts import states
from pipeline.contracts.events import Timings
from razgovor.client import IngestClient, Job, JobResult, JobTimings, Refused
from razgovor.transcription.recordings import Recording
from razgovor.transcription.summary import Row

_LOOK_EVERY_S: Final = 0.3
#: So many of the oldest open jobs are asked for in a round; the queue is first in, first out.
_LOOK_AT: Final = 20

REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What every recording of a run is asked for.

    Attributes:
        channels: Role by channel; empty: not known.
        formats: Artefacts.
        locale: Of exports and reasons: `ru` or `en`.
        language: Spoken.
        headerless: How recordings without a header are coded; None: there are none.
        fingerprint: Of model and parameters: goes into each row's key.
    """

    channels: tuple[str, ...] = ("operator", "customer")
    formats: tuple[str, ...] = ("txt", "vtt", "xlsx", "json")
    locale: str = "ru"
    language: str = "ru"
    headerless: Headerless | None = None
    fingerprint: str = ""

    def key(self, audio_sha256: str) -> str:
        """What the result of a recording depends on."""
        options = "/".join((",".join(self.channels), ",".join(sorted(self.formats)), self.locale, self.language))
        coded = "" if self.headerless is None else f"/{self.headerless.media_type}"
        return f"{audio_sha256}/{self.fingerprint}/{options}{coded}"

    def fields(self, recording: Path) -> Mapping[str, str]:
        """As ingest takes them for a recording: what it says itself need not be said."""
        exported = [name for name in self.formats if name != "json"]  # the transcript itself is always there
        return {
            "channels": ",".join(self.channels),
            "formats": ",".join(exported) or "txt",
            "locale": self.locale,
            "language": self.language,
            **self._declared(recording),
        }

    def _declared(self, recording: Path) -> Mapping[str, str]:
        if self.headerless is None:
            return {}
        with recording.open("rb") as file:
            if sniff_declared(file.read(SNIFF_BYTES)) is not None:
                return {}
        return {
            "codec": self.headerless.codec,
            "sample_rate_hz": str(self.headerless.sample_rate_hz),
            "channel_count": str(self.headerless.channels),
        }


@dataclass(slots=True)
class Session:
    """One run over a set of recordings.

    Attributes:
        client: Of the running stack.
        out: Where results go.
        on_change: Told when a job's state changes or a row is finished: (recording, state).
    """

    client: IngestClient
    out: Path
    wanted: Wanted
    on_change: Callable[[Recording, str], None]
    _open: dict[str, tuple[Recording, str]] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)

    def run(self, recordings: Sequence[tuple[Recording, str]]) -> Iterator[Row]:
        """Carry recordings (each with the sha256 of its audio) through; rows as they finish."""
        for recording, audio_sha256 in recordings:
            key = self.wanted.key(audio_sha256)
            try:
                job_id = self.client.submit(recording.path, self.wanted.fields(recording.path))
            except Refused as refusal:
                self.on_change(recording, REFUSED)
                yield Row(file=recording.name, key=key, state=REFUSED, reason=refusal.code, reason_text=refusal.detail)
            else:
                self._open[job_id] = (recording, key)
        yield from self._follow()

    def _follow(self) -> Iterator[Row]:
        while self._open:
            finished = [job for job in self._look() if job.is_over]
            for job in finished:
                recording, key = self._open.pop(job.job_id)
                yield self._row(recording, key, job)
            if not finished:
                time.sleep(_LOOK_EVERY_S)

    def _look(self) -> Iterator[Job]:
        for job_id in list(self._open)[:_LOOK_AT]:
            job = self.client.job(job_id)
            if self._states.get(job_id) != job.state:
                self._states[job_id] = job.state
                self.on_change(self._open[job_id][0], job.state)
            yield job

    def _row(self, recording: Recording, key: str, job: Job) -> Row:
        reason, found, times = job.reason, job.result or JobResult(), job.timings or JobTimings()
        return Row(
            file=recording.name,
            key=key,
            job_id=job.job_id,
            state=job.state,
            reason=reason.code if reason else None,
            details=reason.details if reason else {},
            reason_text=reason.text if reason else None,
            duration_s=_seconds(found.duration_ms),
            channels=found.channels,
            channel_mode=found.channel_mode,
            words=found.words,
            confidence=found.confidence,
            speech_s=_seconds(found.speech_ms),
            warnings=found.warnings,
            timings=Timings(
                queue_wait_ms=times.queue_wait_ms or 0,
                decode_ms=times.decode_ms or 0,
                vad_ms=times.vad_ms or 0,
                engine_ms=times.engine_ms or 0,
            ),
            total_s=_seconds(times.total_ms),
            artefacts=self._fetch(recording, job) if job.state == states.COMPLETED else {},
        )

    def _fetch(self, recording: Recording, job: Job) -> dict[str, str]:
        names = {}
        for artefact_format in dict.fromkeys((*self.wanted.formats, "json")):
            name = f"{recording.stem}.{artefact_format}"
            target = self.out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = target.with_name(f".{target.name}.part")
            scratch.write_bytes(self.client.transcript(job.job_id, artefact_format))
            scratch.replace(target)
            names[artefact_format] = name
        return names


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
