"""A process whose clock is off, or jumps there and back: what our code asks for the time says another one.

Not by libfaketime: it turns the absolute deadlines inside librdkafka's condition variables into waits of an hour, which no
real clock that merely stands wrong does. Clocks that never go back are left as they are.
"""

from __future__ import annotations

import datetime as dt
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any


def offset_now_s(offset_s: float, jumps_s: float, monotonic_s: float) -> float:
    """How far the clock is off at a moment: always, or every other `jumps_s` seconds."""
    if jumps_s and int(monotonic_s / jumps_s) % 2:
        return 0.0
    return offset_s


def mislead(offset_s: float, jumps_s: float) -> None:
    """Set this process' clocks off. Before a service is imported."""
    true_time = time.time

    def off_s() -> float:
        return offset_now_s(offset_s, jumps_s, time.monotonic())

    class LikeDatetime(type):
        """Whatever is a true datetime is one of these: libraries look."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, datetime)

    class WrongDatetime(datetime, metaclass=LikeDatetime):
        """Makes true datetimes, and tells the wrong time."""

        def __new__(cls, *args: Any, **named: Any) -> datetime:  # type: ignore[misc]
            return datetime(*args, **named)  # noqa: DTZ001  as whoever asks wants it

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=off_s())

    def wrong_time() -> float:
        return true_time() + off_s()

    time.time = wrong_time
    dt.datetime = WrongDatetime  # type: ignore[misc]  # a test build: the process lives in another time
