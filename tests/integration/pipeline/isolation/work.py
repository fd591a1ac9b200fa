"""What the children of these tests do; a plain module, so that a child can import it."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from pipeline.errors import CallFault, Permanent, Transient
from pipeline.testing.waiting import eventually

MIB = 1 << 20


class Unpicklable(Exception):
    """An error of nobody's, with something in its text that must not leak."""


def faithful() -> Callable[[str], object]:
    """Serve orders by name."""
    return lambda order: _ORDERS[order.partition(":")[0]](order.partition(":")[2])


def refusing() -> Callable[[str], object]:
    raise CallFault("invalid_header", found="no factory")


def failing() -> Callable[[str], object]:
    raise Unpicklable("secret")


def crashing() -> Callable[[str], object]:
    os._exit(7)


def hanging() -> Callable[[str], object]:
    time.sleep(600)
    return faithful()


def all_there(folder: Path, size: int) -> Callable[[str], object]:
    """Ready only when so many others are being built at the same time."""
    (folder / str(os.getpid())).touch()
    eventually(lambda: len(list(folder.iterdir())) == size)
    return faithful()


def _segfault(_: str) -> NoReturn:
    ctypes.string_at(0)
    raise AssertionError


def _raise_fault(_: str) -> NoReturn:
    raise CallFault("too_long", limit_s=60, found_s=61.5)


def _raise_transient(_: str) -> NoReturn:
    raise Transient("disk is full", retry_after_s=4.5)


def _raise_permanent(_: str) -> NoReturn:
    raise Permanent("undecodable")


def _raise_unknown(text: str) -> NoReturn:
    raise Unpicklable(text)


def _spin(_: str) -> NoReturn:
    while True:
        pass


def _spin_a_while(seconds: str) -> float:
    until_s = time.process_time() + float(seconds)
    while time.process_time() < until_s:
        pass
    return time.process_time()


def _take_mib(count: str) -> int:
    return len(bytearray(int(count) * MIB))


def _hold_the_interpreter(_: str) -> NoReturn:
    """Sleep in native code without letting any other thread of the interpreter run."""
    ctypes.PyDLL(None).sleep(600)
    raise AssertionError


def _await(file: str) -> str:
    while not Path(file).exists():
        time.sleep(0.01)
    return file


def _threads_of_numpy(_: str) -> int:
    """How many threads its library has added, once it has worked."""
    before = len(list(Path("/proc/self/task").iterdir()))
    np = importlib.import_module("numpy")
    square = np.ones((512, 512), dtype=np.float32)
    assert (square @ square)[0, 0] == 512
    return len(list(Path("/proc/self/task").iterdir())) - before


_ORDERS: dict[str, Callable[[str], object]] = {
    "echo": lambda text: text,
    "pid": lambda _: os.getpid(),
    "exit": lambda code: os._exit(int(code)),
    "segfault": _segfault,
    "await": _await,
    "hang": lambda _: time.sleep(600),
    "hold": _hold_the_interpreter,
    "spin": _spin,
    "spin_a_while": _spin_a_while,
    "take_mib": _take_mib,
    "fault": _raise_fault,
    "transient": _raise_transient,
    "permanent": _raise_permanent,
    "unknown": _raise_unknown,
    "unpicklable": lambda _: lambda: None,
    "stdin": lambda _: os.read(0, 10),
    "files": lambda count: [Path(os.devnull).open("rb") for _ in range(int(count))] and None,  # noqa: SIM115 - kept open to meet the limit
    "modules": lambda _: sorted(sys.modules),
    "threads_of_numpy": _threads_of_numpy,
    "cores": lambda _: __import__("resource").getrlimit(4),
}
