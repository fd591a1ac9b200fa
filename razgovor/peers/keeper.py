"""A set of peers in a process of its own that outlives the shell: `python -m razgovor.peers.keeper FOLDER --servers kafka,s3`.

Started and ended by `peers.peer_set`. It starts the servers, writes their addresses, brings back those that end, and ends all
on SIGTERM. When it is killed they end with it: each hangs on a leash that it holds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline import service
from pipeline.telemetry import logs
from razgovor.embedded import folder_lock
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.addresses import ADDRESSES, KEEPER_LOCK
from razgovor.peers.catalogue import PEERS, addresses_of
from razgovor.peers.identity import started_at
from razgovor.peers.server import PeerServer

LOOK_S: Final = 0.5
AGAIN_S: Final = 5.0
EXIT_FAILED: Final = 1


def keep(folder: Path, names: Sequence[str]) -> int:
    """Run the set until SIGTERM; the exit status."""
    logs.configure("peers", "INFO")
    status = service.StatusFile(folder / "keeper.json")
    stop = service.stop_event(stop_with_parent=False)
    own = started_at(os.getpid()) or 0
    lock = folder_lock.take(folder / KEEPER_LOCK, timeout_s=0, otherwise=f"peers run already in {folder}")
    servers = {name: PEERS[name].make(folder / name) for name in names}
    try:
        status.write("starting", started_at=own, up="")
        _start(servers, lambda up: status.write("starting", started_at=own, up=",".join(up)))
        addresses_of(servers).write(folder)
        status.write("ready", started_at=own, up=",".join(servers))
        _watch(servers, status, stop)
    except EmbeddedFailed as error:
        status.write("failed", started_at=own, error=str(error))
        return EXIT_FAILED
    finally:
        (folder / ADDRESSES).unlink(missing_ok=True)
        _stop(servers)
        os.close(lock)
    status.write("stopped", started_at=own)
    return 0


def _start(servers: Mapping[str, PeerServer], tell: Callable[[list[str]], None]) -> None:
    """Start all side by side.

    Raises:
        EmbeddedFailed: One did not start.
    """
    up: list[str] = []
    with ThreadPoolExecutor(len(servers)) as pool:
        for done in as_completed({pool.submit(_started, name, server) for name, server in servers.items()}):
            up.append(done.result())
            tell(up)


def _started(name: str, server: PeerServer) -> str:
    server.start()
    return name


def _watch(servers: Mapping[str, PeerServer], status: service.StatusFile, stop: threading.Event) -> None:
    """Bring back what ends, at its old address."""
    retry_at_s = dict.fromkeys(servers, 0.0)
    while not stop.wait(LOOK_S):
        status.beat()
        for name, server in servers.items():
            if not server.is_running and time.monotonic() >= retry_at_s[name]:
                logs.get(__name__).warning("peer_ended", peer=name)
                retry_at_s[name] = time.monotonic() + AGAIN_S
                with suppress(EmbeddedFailed):
                    server.start()


def _stop(servers: Mapping[str, PeerServer]) -> None:
    with ThreadPoolExecutor(len(servers)) as pool:
        for done in [pool.submit(server.stop) for server in servers.values()]:
            done.result()


def main(
    folder: Path,
    servers: Annotated[str, typer.Option(help="Names, comma separated.")] = ",".join(PEERS),
) -> None:
    """Keep peers running until SIGTERM."""
    raise typer.Exit(keep(folder.absolute(), servers.split(",")))


if __name__ == "__main__":
    typer.run(main)
