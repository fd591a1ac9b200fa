"""librdkafka's mock broker in a process of its own: `python -m razgovor.embedded.broker --status-file FILE`.

For trials on one machine: it keeps its log in memory. Ends on SIGTERM or when its standard input closes; started by
`razgovor.stack`, which reads the address from the status file.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer
import yaml

from pipeline import service
from pipeline.stream.kafka_mock import MockCluster
from pipeline.telemetry import logs
from razgovor.embedded.owned_process import module_command

BEAT_S: Final = 1.0


def broker_command(status_file: Path) -> list[str]:
    """The command line of a broker; `owned_process` runs it."""
    return module_command("razgovor.embedded.broker", "--status-file", str(status_file))


def topics() -> list[str]:
    """Every topic of the system."""
    return list(yaml.safe_load(files("schemas").joinpath("topics.yaml").read_text(encoding="utf-8")))


def main(status_file: Annotated[Path, typer.Option(help="Where state and address are written.")]) -> None:
    """Run a broker for as long as standard input is open."""
    logs.configure("broker", "WARNING")
    status = service.StatusFile(status_file)
    status.write("starting")
    stop = service.stop_event(stop_with_parent=True)
    with MockCluster() as cluster:
        for topic in topics():
            cluster.create_topic(topic)  # who subscribes before the first record finds it
        status.write("ready", address=cluster.address)
        while not stop.wait(BEAT_S):
            status.beat()
    status.write("stopped")


if __name__ == "__main__":
    typer.run(main)
