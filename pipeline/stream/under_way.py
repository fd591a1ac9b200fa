"""What is remembered of records under way, in memory. Used by `events`, `retries` and the ledger; from several threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, Generic, TypeAlias, TypeVar

from pipeline.stream.ports import Message

ValueT = TypeVar("ValueT")

#: The value's hash is part of it: a broker that was wiped gives offsets anew.
_Place: TypeAlias = tuple[str, int, int, int]

_RECORDS_MAX: Final = 4096


class UnderWay(Generic[ValueT]):
    """A value for each record that is being worked on.

    Work can be dropped without a word (a partition that went to another worker), so the oldest are forgotten beyond
    `records_max`. What is forgotten must be harmless to lose: it is done again.
    """

    def __init__(self, records_max: int = _RECORDS_MAX) -> None:
        self._records_max = records_max
        self._values: OrderedDict[_Place, ValueT] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, message: Message) -> ValueT | None:
        """What was kept of the record, None if nothing was."""
        with self._lock:
            return self._values.get(_place(message))

    def keep(self, message: Message, value: ValueT) -> None:
        """Remember a value, in place of an earlier one."""
        with self._lock:
            self._values[_place(message)] = value
            self._values.move_to_end(_place(message))
            if len(self._values) > self._records_max:
                self._values.popitem(last=False)

    def forget(self, message: Message) -> None:
        """The record is done with."""
        with self._lock:
            self._values.pop(_place(message), None)


def _place(message: Message) -> _Place:
    return message.topic, message.partition, message.offset, hash(message.value)
