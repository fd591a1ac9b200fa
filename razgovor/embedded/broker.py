"""librdkafka's mock broker in a process of its own: `python -m razgovor.embedded.broker --status-file F`.

It keeps its log in memory: when it ends, its records are gone, and ingest announces again what PostgreSQL holds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline import service
from pipeline.contracts import topics
from pipeline.errors import Fatal
from pipeline.stream.kafka_mock import MockCluster

_BEAT_S: Final = 0.5
EXIT_FAILED: Final = 1


def keep(status_file: Path) -> int:
    """Run a broker with every topic until standard input closes or SIGTERM comes; the exit status."""
    status = service.StatusFile(status_file)
    status.write("starting")
    stop = service.stop_event(stop_with_parent=True)
    try:
        with MockCluster() as cluster:
            # Consumers subscribe before anything is published; a topic that is not there is no error then.
            for name in topics.names():
                cluster.create_topic(name)
            status.write("ready", address=cluster.address)
            while not stop.wait(_BEAT_S):
                status.beat()
    except Fatal as error:
        sys.stderr.write(f"{error}\n")
        status.write("failed", error=str(error))
        return EXIT_FAILED
    status.write("stopped")
    return 0


def main(status_file: Annotated[Path, typer.Option(help="Where the state and the address are written.")]) -> None:
    """Keep a broker running for as long as standard input is open."""
    raise typer.Exit(keep(status_file))


if __name__ == "__main__":
    typer.run(main)
