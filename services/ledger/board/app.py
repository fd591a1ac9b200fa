"""The board on faust-streaming: its only door. Runs in the event loop of whoever calls `run`.

What faust does, and why it does not matter here: it acknowledges what its agent raised on, commits past unfinished events
(issue 606), and restarts a crashed agent. So the agent never raises, works on one event at a time, and the group is new at
every start, so that nothing depends on a commit. No web server, no topics of its own, nothing kept.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import faust

from pipeline.errors import Fatal, Permanent, Transient
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.ports import Message
from pipeline.stream.wire import Wire
from pipeline.telemetry import logs
from services.ledger.board.counting import Board, Picture

_PAUSE_S: Final = 1.0
_log = logs.get(__name__)


async def run(
    connection: KafkaConnection,
    wire: Wire,
    topics: tuple[str, ...],
    group: str,
    *,
    window_s: float,
    every_s: float,
    show: Callable[[Picture], None],
    stop: asyncio.Event,
) -> None:
    """Count and show until told to stop. Whether the brokers let us in is not asked here: faust does not say it in words.

    Args:
        connection: The brokers.
        wire: How events are read.
        topics: What is read, from its beginning.
        group: New at every start.
        window_s: What `lately` means.
        every_s: How often it is shown.
        show: Shows it.
        stop: Set to end.

    Raises:
        Fatal: A certificate of the settings cannot be used.
    """
    board = Board(timedelta(seconds=window_s))
    with tempfile.TemporaryDirectory(prefix="razgovor-board-") as folder:
        app = _app(connection, group, folder)
        app.agent(app.topic(*topics, key_serializer="raw", value_serializer="raw"), concurrency=1)(_agent(board, wire))
        await app.start()
        try:
            await _show_until(stop, board, every_s, show)
        finally:
            await app.stop()


async def _show_until(stop: asyncio.Event, board: Board, every_s: float, show: Callable[[Picture], None]) -> None:
    while not stop.is_set():
        show(board.picture(datetime.now(UTC)))  # noqa: TID251  the board shows now
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


def _app(connection: KafkaConnection, group: str, folder: str) -> Any:
    servers = ";".join(f"kafka://{server.strip()}" for server in connection.bootstrap_servers.split(","))
    return faust.App(
        group,
        broker=servers,
        broker_credentials=_credentials(connection),
        store="memory://",
        datadir=folder,  # which it makes even though there is nothing to put into it
        web_enabled=False,
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )


def _credentials(connection: KafkaConnection) -> Any:
    """How faust proves who we are, and checks who the brokers are; None: it need not."""
    context = _tls(connection) if connection.tls else None
    if connection.sasl and connection.password is not None:
        return faust.SASLCredentials(
            username=connection.username,
            password=connection.password.get_secret_value(),
            mechanism=connection.sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


def _tls(connection: KafkaConnection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=connection.ca_file)
        if connection.certificate_file is not None:
            context.load_cert_chain(connection.certificate_file, connection.key_file)
    except OSError as error:  # ssl.SSLError is one too
        raise Fatal(
            f"kafka_ca_file, kafka_certificate_file or kafka_key_file cannot be used: {error.strerror}"
        ) from error
    return context


def _agent(board: Board, wire: Wire) -> Callable[[Any], Any]:
    async def count(stream: Any) -> None:
        async for event in stream.events():
            await _take(board, wire, ported(event.message))

    return count


async def _take(board: Board, wire: Wire, message: Message) -> None:
    while True:
        try:
            board.take(wire.decode(message), message.timestamp)
        except Transient as error:  # the schema registry is away: the same again
            _log.warning("board_waits", error=str(error))
            await asyncio.sleep(_PAUSE_S)
            continue
        except Permanent:
            board.undecodable += 1
        except Exception as error:  # noqa: BLE001  a view must not stop; the text could say what was said
            _log.error("board_failed", kind=type(error).__name__)
            board.failed += 1
        return


def ported(message: Any) -> Message:
    """Faust's message as ours."""
    return Message(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=tuple(message.headers or ()),
        timestamp=datetime.fromtimestamp(message.timestamp, UTC),
    )
