"""Word error rate of our pipeline and of bare faster-whisper (batched, beam 5, per channel) on the same channels.

    python bench/wer.py --model DIR --audio DIR

`--model` holds a CTranslate2 Whisper; `--audio` holds `calls/` (recordings, each with its truth as .json) and may hold
`nonspeech/` (nobody speaks: not one word may come out). No stack is needed: the front end and the engine run in this
process. Times on a shared machine mean little; the errors do not depend on it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel

from pipeline.audio import DecodeLimits
from pipeline.contracts.events import AudioObject, AudioUploaded
from pipeline.contracts.transcript import Transcript
from razgovor.scoring import Score, score
from services.transcriber.adapters.listening import Listener
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import CallWindows, Order, WhisperOptions
from services.transcriber.adapters.whisper import Whisper
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts, assemble

_ROLES: Final = ("operator", "customer")
_PERCENTILE: Final = 95
_MISSED_TURN_S: Final = 10.0
_ACCEPTED: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """Both arms, loaded."""

    listener: Listener
    whisper: Whisper
    bare: WhisperModel


@dataclass(slots=True)
class Sums:
    """What all calls come to."""

    ours: Score
    bare: Score
    ours_s: float
    bare_s: float
    start_errors_s: list[float]
    failures: list[str]


def main() -> int:
    """Print a line a call and the sums; 1 when a non-speech recording gave words or a word is on the wrong side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--without-bare", action="store_true", help="leave the other arm out")
    parser.add_argument("--show", action="store_true", help="print each dialogue and what was suppressed")
    args = parser.parse_args()
    parts = Parts(
        Listener(Rules(), DecodeLimits(max_duration_s=14_400, max_channels=8)),
        Whisper(ModelFiles(args.model, "measured", ""), WhisperOptions()),
        WhisperModel(str(args.model), device="cpu", compute_type="int8", cpu_threads=2),
    )
    sums = Sums(Score(0, 0), Score(0, 0), 0.0, 0.0, [], [])
    for truth_file in sorted((args.audio / "calls").glob("*.json")):
        _call(truth_file, parts, sums, with_bare=not args.without_bare, show=args.show)
    for recording in sorted((args.audio / "nonspeech").glob("*.wav")):
        _nonspeech(recording, parts, sums)
    _print_sums(sums)
    return 1 if sums.failures else 0


def _call(truth_file: Path, parts: Parts, sums: Sums, *, with_bare: bool, show: bool) -> None:
    truth = json.loads(truth_file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        begin_s = perf_counter()
        prepared, transcript = _ours(truth_file.with_suffix(".wav"), parts, Path(folder))
        sums.ours_s += perf_counter() - begin_s
        ours = _scored(truth, dict(_texts(transcript)))
        sums.ours += ours
        begin_s = perf_counter()
        bare = _scored(truth, dict(_bare_texts(Path(folder), prepared, parts.bare))) if with_bare else Score(0, 0)
        sums.bare += bare
        sums.bare_s += perf_counter() - begin_s
    errors = list(_start_errors(truth, transcript))
    if transcript.channel_mode == "stereo" and not transcript.warnings:  # else nobody can tell where a turn ends
        sums.start_errors_s += errors
    if not _sides_right(truth, transcript):
        sums.failures.append(f"{truth_file.stem}: words on the wrong channel")
    leaks = sum(item.reason == "crosstalk" for item in transcript.suppressed)
    print(
        f"{truth_file.stem:20} ours {ours.wer:6.1%}  bare {bare.wer:6.1%}  {transcript.channel_mode:9}"
        f" turns {len(transcript.turns):3} leaks {leaks:2} p95 start {_percentile(errors):.2f} s"
        f"  {','.join(warning.code for warning in transcript.warnings)}"
    )
    if show:
        _print_dialogue(transcript)


def _print_dialogue(transcript: Transcript) -> None:
    for turn in transcript.turns:
        print(f"    {turn.start_s:6.2f}-{turn.end_s:6.2f} {turn.channel} {turn.text}")
    for item in transcript.suppressed:
        print(f"    {item.start_s:6.2f}-{item.end_s:6.2f} {item.channel} ({item.reason}) {item.text}")


def _nonspeech(recording: Path, parts: Parts, sums: Sums) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, transcript = _ours(recording, parts, Path(folder))
    print(f"{recording.stem:20} words {len(transcript.words)} suppressed {len(transcript.suppressed)}")
    if transcript.words:
        sums.failures.append(f"{recording.stem}: words where nobody speaks")


def _print_sums(sums: Sums) -> None:
    print(f"all calls: ours {sums.ours.wer:.1%}, bare {sums.bare.wer:.1%} of {sums.ours.words} words")
    print(f"p95 turn start error {_percentile(sums.start_errors_s):.2f} s over {len(sums.start_errors_s)} turns")
    print(f"wall: ours {sums.ours_s:.0f} s, bare {sums.bare_s:.0f} s")
    for failure in sums.failures:
        print(f"FAILED {failure}", file=sys.stderr)


def _ours(recording: Path, parts: Parts, folder: Path) -> tuple[PreparedCall, Transcript]:
    data = recording.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    prepared = parts.listener(Order(audio=recording, folder=folder, recording=Recording(call="call", sha256=sha256)))
    heard = parts.whisper(CallWindows(prepared.windows, Hearing(language="ru"))) if prepared.windows else []
    return prepared, assemble(_event(sha256, len(data)), prepared, heard, EngineFacts("bench", "measured", ""), 0)


def _event(sha256: str, size_bytes: int) -> AudioUploaded:
    return AudioUploaded(
        event_id="e",
        job_id="j",
        run=1,
        client_id="c",
        call_id="call",
        accepted_at=_ACCEPTED,
        priority="normal",
        audio=AudioObject(key="jobs/j/audio", sha256=sha256, size_bytes=size_bytes, media_type="audio/wav"),
        channel_roles=_ROLES,
        language="ru",
        locale="ru",
        formats=(),
    )


def _texts(transcript: Transcript) -> Iterator[tuple[int | None, str]]:
    """Text by channel, under None all of it where the channels are one mix."""
    by_channel: dict[int | None, list[str]] = defaultdict(list)
    for turn in transcript.turns:
        by_channel[None if transcript.channel_mode == "dual_mono" else turn.channel].append(turn.text)
    yield from ((channel, " ".join(texts)) for channel, texts in by_channel.items())


def _bare_texts(folder: Path, prepared: PreparedCall, model: WhisperModel) -> Iterator[tuple[int | None, str]]:
    batched = BatchedInferencePipeline(model)
    files = sorted(folder.iterdir())
    for channel, file in enumerate(files[:1] if prepared.identical_channels else files):
        segments, _ = batched.transcribe(
            np.fromfile(file, dtype=np.float32), language="ru", beam_size=5, batch_size=16, word_timestamps=True
        )
        text = " ".join(segment.text for segment in segments)
        yield None if prepared.identical_channels else channel, text


def _scored(truth: dict[str, Any], texts: dict[int | None, str]) -> Score:
    """Errors summed over channels; a channel that was not recorded or is not in the truth counts every word."""
    wanted: dict[int | None, list[str]] = defaultdict(list)
    for turn in truth["turns"]:
        wanted[None if None in texts else turn["channel"]].append(turn["text"])
    return sum((score(" ".join(wanted[channel]), texts.get(channel, "")) for channel in {*wanted, *texts}), Score(0, 0))


def _start_errors(truth: dict[str, Any], transcript: Transcript) -> Iterator[float]:
    """Distance from each true turn's start to the nearest start of ours on its channel."""
    for turn in truth["turns"]:
        yield min(
            (
                abs(ours.start_s - turn["start"])
                for ours in transcript.turns
                if transcript.channel_mode == "dual_mono" or ours.channel == turn["channel"]
            ),
            default=_MISSED_TURN_S,
        )


def _sides_right(truth: dict[str, Any], transcript: Transcript) -> bool:
    """Whether each channel's text is nearer to its own truth than to the other's."""
    if transcript.channel_mode != "stereo":
        return True
    said: dict[int, str] = defaultdict(str)
    for turn in truth["turns"]:
        said[turn["channel"]] += f" {turn['text']}"
    heard = dict(_texts(transcript))
    return all(
        score(said[channel], text).wer < score(said[1 - channel], text).wer
        for channel, text in heard.items()
        if channel is not None and said[0] and said[1]
    )


def _percentile(values: list[float]) -> float:
    return float(np.percentile(values, _PERCENTILE)) if values else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
