"""The threads that do the work. They end with the process: one that hangs keeps nobody from leaving.

process returns      done: the offset may pass
process -> Postponed later, after all that waits; if it is not ours any more, never
process -> Transient the same again after a pause, for as long as it takes, or until it is not ours any more
anything else        the end of the loop, offsets untouched
"""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.crash_points import reach
from pipeline.errors import Fatal, Postponed, RazgovorError, Transient
from pipeline.stream.custody import Custody
from pipeline.stream.ports import Message
from pipeline.stream.work_queue import Item, WorkQueue
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics

Process = Callable[[Sequence[Message]], None]

#: A dependency that is back is noticed within this, however long it was away.
_LONGEST_BACKOFF_S: Final = 10.0

_log = logs.get(__name__)


class Workers:
    """Threads over a queue.

    Args:
        queue: Where work comes from.
        process: What is done with a batch.
        custody: Who is told of what is not finished here.
        first_backoff_s: The first pause after Transient; it doubles up to 10 s, with jitter.
        metrics: Counts the pauses.
    """

    def __init__(
        self, queue: WorkQueue, process: Process, custody: Custody, first_backoff_s: float, metrics: Metrics
    ) -> None:
        self._queue = queue
        self._process = process
        self._custody = custody
        self._first_backoff_s = first_backoff_s
        self._metrics = metrics

    def start(self, count: int) -> None:
        """Start so many threads; each ends when the queue has no more."""
        for number in range(count):
            threading.Thread(target=self._run, daemon=True, name=f"work-{number}").start()

    def _run(self) -> None:
        while (items := self._queue.take()) is not None:
            try:
                self._carry(items)
            except BaseException as error:  # noqa: BLE001  a thread has nobody above it: the polling thread raises it
                self._queue.fail(items, _named(error))
            # Nothing of a call stays referenced while the next one is waited for.
            del items

    def _carry(self, items: list[Item]) -> None:
        messages = [item.message for item in items]
        try:
            done = self._until_done(items, messages)
        except Postponed as later:
            if self._queue.postpone(items, later.retry_after_s):
                return
            done = False
        except BaseException:
            self._custody.left(messages)
            raise
        if done:
            reach("stream.finished")
            self._queue.finish(items)
        else:
            self._custody.left(messages)
            self._queue.drop(items)

    def _until_done(self, items: list[Item], messages: Sequence[Message]) -> bool:
        """Whether it was done; if not, it is not ours any more."""
        backoff_s = self._first_backoff_s
        while True:
            try:
                self._process(messages)
            except Postponed:
                raise
            except Transient as error:
                pause_s = max(error.retry_after_s, backoff_s * random.uniform(0.5, 1.0))  # noqa: S311  jitter
                _log.warning("waiting", error=str(error), pause_s=round(pause_s, 2))
                self._metrics.add(families.PAUSES, pause_s)
                if not self._queue.pause(items, pause_s):
                    return False
                backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)
            else:
                return True


def _named(error: BaseException) -> RazgovorError:
    """One of ours as it is; a stranger by its type and frames alone: its text can hold what was said or who said it."""
    if isinstance(error, RazgovorError):
        return error
    _log.error("work_failed", kind=type(error).__name__, frames=traceback.format_tb(error.__traceback__))
    return Fatal(f"the work raised {type(error).__name__}")
