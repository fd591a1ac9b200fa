"""What a crash in a child that serves one call at a time means: once, it is tried again; twice, the call is at fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from pipeline.errors import Postponed, WorkerCrashed
from pipeline.isolation import ChildClosed, ChildCrashed, ChildPool

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")

MAX_CRASHES: Final = 2


def serve(
    children: ChildPool[RequestT, ResponseT],
    request: RequestT,
    *,
    timeout_s: float,
    still_wanted: Callable[[], None],
) -> ResponseT:
    """Have a child serve a request; after a crash, a fresh one.

    Raises:
        WorkerCrashed: It crashed again.
        Postponed: The children are being closed.
        ChildTimeout: It took too long.
        ChildFailed: It raised something unforeseen.
        RazgovorError: As the child or `still_wanted` raised it.
    """
    for _ in range(MAX_CRASHES):
        try:
            return children.call(request, timeout_s=timeout_s, still_wanted=still_wanted)
        except ChildCrashed:
            continue
        except ChildClosed as error:
            raise Postponed("the worker is being closed") from error
    raise WorkerCrashed
