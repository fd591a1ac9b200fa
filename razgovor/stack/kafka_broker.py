"""A stack's own Kafka in a process of its own: `python -m razgovor.stack.kafka_broker FOLDER --status-file FILE`.

What `razgovor up --broker kafka` runs in place of the mock broker: it starts the server, makes the topics, says where it is, and
ends the server on SIGTERM or when its standard input closes. The log lies in the folder, so restarts lose nothing.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline import service
from pipeline.errors import RazgovorError
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.telemetry import logs
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.owned_process import module_command
from razgovor.peers.kafka import KafkaServer
from razgovor.topics.keeper import Keeper

WATCH_S: Final = 0.5
SETTLE_S: Final = 90.0
EXIT_FAILED: Final = 1
#: Enough for every worker that one machine can have; a small heap holds them.
PARTITIONS: Final = 12


def broker_command(folder: Path, status_file: Path) -> list[str]:
    """The command line of a broker; `owned_process` runs it."""
    return module_command("razgovor.stack.kafka_broker", str(folder), "--status-file", str(status_file))


def make_topics(connection: KafkaConnection, partitions: int | None = None) -> None:
    """Make the topics of schemas/topics.yaml, or correct them.

    Args:
        connection: To the cluster.
        partitions: In place of the file's.

    Raises:
        EmbeddedFailed: Something is not as it should be and has to be mended by hand.
        Transient: The brokers do not answer.
        Fatal: They refuse us.
    """
    keeper = Keeper(KafkaAdmin(connection), partitions=partitions)
    left = keeper.check() and keeper.apply()  # where all is well, the right to look is enough
    give_up_s = time.monotonic() + SETTLE_S
    while left and time.monotonic() < give_up_s and not any(one.by_hand for one in left):
        time.sleep(WATCH_S)  # a small machine opens hundreds of partitions
        left = keeper.check()
    if left:
        told = "; ".join(f"{one.subject}: {one.what} is {one.found}, should be {one.wanted}" for one in left)
        raise EmbeddedFailed(f"topics are not as they should be (razgovor topics check): {told}")


def run(folder: Path, status_file: Path) -> int:
    """Run until standard input closes or SIGTERM comes; the exit status."""
    logs.configure("broker", "WARNING")
    status = service.StatusFile(status_file)
    status.write("starting")
    stop = service.stop_event(stop_with_parent=True)
    server = KafkaServer(folder)
    try:
        server.start()
        make_topics(KafkaConnection(bootstrap_servers=server.bootstrap_servers), PARTITIONS)
        status.write("ready", address=server.bootstrap_servers, server_pid=server.pid)
        _watch(server, status, stop)
    except RazgovorError as error:
        typer.echo(str(error), err=True)
        status.write("failed", error=str(error))
        return EXIT_FAILED
    finally:
        server.stop()
    status.write("stopped")
    return 0


def _watch(server: KafkaServer, status: service.StatusFile, stop: threading.Event) -> None:
    while not stop.wait(WATCH_S):
        status.beat()
        if not server.is_running:
            raise EmbeddedFailed(f"Kafka ended; {server.log} says why")
    status.write("draining")


def main(folder: Path, status_file: Annotated[Path, typer.Option(help="Where state and address are written.")]) -> None:
    """Run a Kafka for as long as standard input is open."""
    raise typer.Exit(run(folder, status_file))


if __name__ == "__main__":
    typer.run(main)
