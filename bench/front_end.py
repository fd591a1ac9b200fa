"""What the front end takes of long recordings: peak memory, processor time by stage, and what short calls wait for beside them.

    python bench/front_end.py

Recordings of ten minutes, one hour and three hours are made of the demo's calls, stereo, 8 kHz A-law. Each goes through a
fresh front-end child; its peak must follow from the windows that it works in, not from the file. Prints tables, writes
bench/out/front_end.json.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np
import psutil
import soundfile
from rich.console import Console
from rich.table import Table

from pipeline.audio import DecodeLimits
from pipeline.audio.decode import decode
from razgovor.demo import samples
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.adapters.measuring import measure
from services.transcriber.adapters.silero import Silero, weights
from services.transcriber.domain.preparation import Rules, separate, windows_of
from services.transcriber.domain.recording import Recording

OUT: Final = Path(__file__).parent / "out" / "front_end.json"
RATE_HZ: Final = 8000
HOUR_S: Final = 3600
LENGTHS_S: Final = (600, HOUR_S, 3 * HOUR_S)
SHORT_CALLS: Final = 20
MEBIBYTE: Final = 1 << 20
DECODE: Final = DecodeLimits(max_duration_s=4 * HOUR_S)
LIMITS: Final = FrontEndLimits(decode=DECODE, timeout_s=HOUR_S, memory_bytes=2 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One recording through a fresh child. Peaks are resident sets; `idle` is the child's before its first call."""

    duration_s: float
    windows: int
    child_idle_mib: int
    child_peak_mib: int
    parent_peak_mib: int
    scratch_mib: int
    processor_s_per_call_hour: float


def call_samples() -> np.ndarray[Any, Any]:
    """The demo's A-law calls one after the other, int16, shape (frames, 2)."""
    paths = [samples.folder() / name for name in ("bank.wav", "clinic.wav")]
    return np.concatenate([soundfile.read(path, dtype="int16")[0] for path in paths])


def make(path: Path, duration_s: int, silent: tuple[int, ...] = ()) -> Path:
    """A recording of so many seconds; the `silent` channels hold A-law's idle code."""
    calls = call_samples()
    calls[:, list(silent)] = 8
    left = duration_s * RATE_HZ
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "ALAW", format="WAV") as file:
        while left:
            file.write(calls[:left])
            left -= min(left, len(calls))
    return path


def recording(path: Path, duration_s: float) -> Recording:
    """As its event would describe it."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Recording(
        call=path.stem,
        sha256=sha256,
        media_type="audio/wav",
        size_bytes=path.stat().st_size,
        declared_duration_s=duration_s,
    )


@contextmanager
def started(folder: Path, children: int) -> Iterator[ChildFrontEnd]:
    """A front end that is warm."""
    front_end = ChildFrontEnd(scratch_dir=folder, rules=Rules(), limits=LIMITS, children=children)
    try:
        front_end.start()
        yield front_end
    finally:
        front_end.close()


def peak_bytes(pid: int) -> int:
    """The largest resident set that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def whole(path: Path, duration_s: int, folder: Path) -> Whole:
    """One recording through a fresh child."""
    with started(folder, 1) as front_end:
        (child,) = psutil.Process().children()
        idle, before = peak_bytes(child.pid), child.cpu_times()
        with front_end.prepare(path, recording(path, duration_s)) as call:
            after = child.cpu_times()
            scratch = sum(file.stat().st_size for file in {window.pcm for window in call.windows})
            spent_s = after.user + after.system - before.user - before.system
            return Whole(
                duration_s=call.duration_s,
                windows=len(call.windows),
                child_idle_mib=idle // MEBIBYTE,
                child_peak_mib=peak_bytes(child.pid) // MEBIBYTE,
                parent_peak_mib=peak_bytes(psutil.Process().pid) // MEBIBYTE,
                scratch_mib=scratch // MEBIBYTE,
                processor_s_per_call_hour=spent_s * HOUR_S / call.duration_s,
            )


def stages(path: Path, folder: Path) -> dict[str, float]:
    """Processor seconds of each stage, in this process."""
    silero, rules = Silero(weights()), Rules()
    vad_s = 0.0

    def probabilities(*arguments: Any) -> Any:
        nonlocal vad_s
        begin_s = process_time()
        found = silero.probabilities(*arguments)
        vad_s += process_time() - begin_s
        return found

    marks = [process_time()]
    recording(path, 0)
    marks.append(process_time())
    decoded = decode(path, folder, DECODE)
    marks.append(process_time())
    channels = [measure(channel, decoded.samples, probabilities) for channel in decoded.channels]
    marks.append(process_time())
    for index, speech in enumerate(separate(channels, rules)):
        levels = channels[index].levels_db
        windows_of(speech.own, levels, call="c", channel=index, pcm=decoded.channels[index], rule=rules.packing)
    marks.append(process_time())
    sha256, decoding, measuring, packing = np.diff(marks).tolist()
    for channel in decoded.channels:
        channel.unlink()
    return {
        "sha256": sha256,
        "decode, split, resample": decoding,
        "levels, digital silence": measuring - vad_s,
        "speech detection": vad_s,
        "leaks, packing": packing,
    }


def beside(long: Path, short: Path, folder: Path) -> dict[str, float]:
    """Seconds that one-minute calls take, one after the other: alone, and beside two long recordings in two children."""

    def prepared_s(front_end: ChildFrontEnd) -> float:
        begin_s = perf_counter()
        with front_end.prepare(short, recording(short, 60)):
            return perf_counter() - begin_s

    with started(folder, 2) as front_end, ThreadPoolExecutor(2) as pool:
        alone = [prepared_s(front_end) for _ in range(SHORT_CALLS)]
        described, over = recording(long, 3 * HOUR_S), threading.Event()

        def occupy() -> None:
            with front_end.prepare(long, described):
                over.set()

        ends = [pool.submit(occupy) for _ in range(2)]
        together = [prepared_s(front_end) for _ in range(SHORT_CALLS)]
        was_beside = not over.is_set()
        for end in ends:
            end.result()
    return {
        "alone_median": float(np.median(alone)),
        "alone_longest": max(alone),
        "beside_median": float(np.median(together)),
        "beside_longest": max(together),
        "long_ones_outlasted_them": was_beside,
    }


def table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Rows as a table."""
    shown = Table(*rows[0], title=title)
    for row in rows:
        shown.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    return shown


def main() -> None:
    """Measure, print, write."""
    console = Console()
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = {length_s: make(folder / f"{length_s}.wav", length_s) for length_s in LENGTHS_S}
        sides = {
            "both speak": files[HOUR_S],
            "one side silent": make(folder / "one.wav", HOUR_S, (1,)),
            "both silent": make(folder / "none.wav", HOUR_S, (0, 1)),
        }
        with console.status("long recordings"):
            wholes = [asdict(whole(path, length_s, folder)) for length_s, path in files.items()]
        console.print(table("one recording through a fresh child", wholes))
        with console.status("stages"):
            by_side = {side: stages(path, folder) for side, path in sides.items()}
        console.print(table("processor seconds an hour of a call", [{"call": side} | s for side, s in by_side.items()]))
        with console.status("short calls beside long ones"):
            waits = beside(files[LENGTHS_S[-1]], make(folder / "short.wav", 60), folder)
        console.print(table("seconds that a one-minute call takes", [waits]))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"whole": wholes, "stages_s": by_side, "beside_s": waits}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
