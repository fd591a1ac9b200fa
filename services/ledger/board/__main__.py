"""`python -m services.ledger.board`: shows what goes through the topics as JSON lines, until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict

from pipeline import service
from pipeline.contracts.events import OF_JOBS
from pipeline.errors import RazgovorError
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.registry import wire_at
from pipeline.telemetry import logs
from services.ledger.board import app
from services.ledger.board.counting import Picture
from services.ledger.board.settings import BoardSettings


def show_line(picture: Picture) -> None:
    """A picture as one line of JSON on standard output."""
    sys.stdout.write(json.dumps(asdict(picture)) + "\n")
    sys.stdout.flush()


def _verify(connection: KafkaConnection) -> None:
    """Have the brokers let us in, or say in words why not: faust would try for ever, or die of an error of its own."""
    with closing(KafkaProducer(connection)) as producer:
        producer.verify()


async def _until_stopped(settings: BoardSettings, show: Callable[[Picture], None], topics: tuple[str, ...]) -> None:
    stop = asyncio.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wanted, stop.set)
    await app.run(
        settings.kafka,
        wire_at(settings.registry),
        topics,
        f"razgovor-board-{uuid.uuid4()}",
        window_s=settings.window_s,
        every_s=settings.show_every_s,
        show=show,
        stop=stop,
    )


def main(show: Callable[[Picture], None] = show_line, topics: tuple[str, ...] = tuple(OF_JOBS)) -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(BoardSettings)
    log = logs.configure("board", "WARNING")
    try:
        _verify(settings.kafka)
        asyncio.run(_until_stopped(settings, show, topics))
    except RazgovorError as error:
        log.error("fatal", error=str(error))  # noqa: TRY400  its text says all there is
        return service.EXIT_FATAL
    return 0


if __name__ == "__main__":
    sys.exit(main())
