"""A set of peers seen from outside: started, found, ended by whoever has its folder. Called by `razgovor peers`."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from razgovor.embedded import folder_lock
from razgovor.embedded.account import server_account
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.owned_process import OwnedProcess, module_command
from razgovor.embedded.postgres_place import home_mode, make_folder
from razgovor.embedded.waiting import until
from razgovor.peers.addresses import KEEPER_LOCK, PeerAddresses, peers_in
from razgovor.peers.artefacts import Progress
from razgovor.peers.catalogue import PEERS
from razgovor.peers.errors import PeerMissing
from razgovor.peers.identity import started_at
from razgovor.peers.programs import lacking

START_TIMEOUT_S: Final = 240.0
STOP_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.1


def get_all(names: Sequence[str], progress: Progress) -> None:
    """Fetch and build what the cache lacks.

    Raises:
        PeerMissing: The machine lacks programs; all of them are named.
        EmbeddedFailed: Something can't be fetched or built.
    """
    missing = lacking(list(dict.fromkeys(need for name in names for need in PEERS[name].needs())))
    if missing:
        raise PeerMissing("\n".join(need.told for need in missing))
    for name in names:
        PEERS[name].get(progress)


def start(folder: Path, names: Sequence[str], progress: Progress, *, keep_data: bool = False) -> PeerAddresses:
    """Start a set, or find it running.

    Args:
        folder: Made if absent.
        names: Of `catalogue.PEERS`.
        progress: Told what is going on.
        keep_data: Go on with what an earlier set left; otherwise every start begins empty.

    Raises:
        PeerMissing: The machine lacks programs; all of them are named.
        EmbeddedFailed: It does not start; the text ends with the log.
    """
    folder = folder.absolute()
    make_folder(folder, home_mode(server_account()))
    if is_running(folder):
        _wait(lambda: _state(folder) == "ready" or not is_running(folder), START_TIMEOUT_S, folder)
        return peers_in(folder)
    get_all(names, progress)
    if not keep_data:
        for name, kind in PEERS.items():
            kind.make(folder / name).remove()
    keeper = OwnedProcess(
        name="peers",
        command=module_command("razgovor.peers.keeper", str(folder), "--servers", ",".join(names)),
        log=folder / "keeper.log",
        status_file=folder / "keeper.json",
    )
    keeper.start()
    try:
        _wait_up(keeper, names, progress)
    except BaseException:  # also Ctrl-C: nothing may stay behind half made
        keeper.stop(STOP_TIMEOUT_S)
        raise
    return peers_in(folder)


def _wait_up(keeper: OwnedProcess, names: Sequence[str], progress: Progress) -> None:
    told = ""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while keeper.state() != "ready":
        if (status := keeper.exit_status()) is not None:
            raise EmbeddedFailed(keeper.fact("error") or str(keeper.failed(f"ended with {status}")))
        if time.monotonic() > deadline_s:
            raise keeper.failed(f"not all were ready within {START_TIMEOUT_S:.0f} s")
        up = [name for name in (keeper.fact("up") or "").split(",") if name]
        line = f"starting {', '.join(name for name in names if name not in up)}"
        if line != told:
            progress(line)
            told = line
        time.sleep(POLL_S)


def is_running(folder: Path) -> bool:
    """Whether a set runs in a folder: its keeper holds the lock for as long as it lives."""
    return folder.is_dir() and folder_lock.is_held(folder / KEEPER_LOCK)


def stop(folder: Path) -> bool:
    """End the set of a folder and wait for it; whether there was one.

    Raises:
        EmbeddedFailed: The process that holds the folder is not the one that wrote its number down.
    """
    if not is_running(folder):
        return False
    facts = json.loads((folder / "keeper.json").read_text(encoding="utf-8"))
    pid = int(facts["pid"])
    if started_at(pid) != facts["started_at"]:
        raise EmbeddedFailed(f"somebody holds {folder}, and it is not process {pid} that wrote keeper.json: left alone")
    _end(pid, signal.SIGTERM)
    with suppress(EmbeddedFailed):
        _wait(lambda: started_at(pid) != facts["started_at"], STOP_TIMEOUT_S, folder)
        return True
    _end(pid, signal.SIGKILL)  # its servers end with it
    _wait(lambda: started_at(pid) != facts["started_at"], STOP_TIMEOUT_S, folder)
    return True


def _end(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, how)


def _state(folder: Path) -> str:
    try:
        return str(json.loads((folder / "keeper.json").read_text(encoding="utf-8")).get("state"))
    except FileNotFoundError:
        return "starting"


def _wait(condition: Callable[[], bool], timeout_s: float, folder: Path) -> None:
    until(condition, timeout_s, f"the peers in {folder} did not follow")
