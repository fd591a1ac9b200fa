"""What a crash in a child means for the call at hand: once, it is tried again; twice, the call is at fault."""

from __future__ import annotations

from typing import Final, TypeVar

from pipeline.errors import CallFault, Transient
from pipeline.isolation import ChildClosed, ChildCrashed, ChildProcess

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")

MAX_CRASHES: Final = 2


def serve(child: ChildProcess[RequestT, ResponseT], request: RequestT, *, timeout_s: float) -> ResponseT:
    """Have the child serve a request; after a crash, a fresh one.

    Raises:
        CallFault: `worker_crashed`; or as the child raised it.
        Transient: The child is being closed.
        ChildTimeout: It took too long.
        ChildFailed: It raised something unforeseen.
    """
    for _ in range(MAX_CRASHES):
        try:
            return child.call(request, timeout_s=timeout_s)
        except ChildCrashed:
            continue
        except ChildClosed as error:
            raise Transient("the worker is being closed") from error
    raise CallFault("worker_crashed")
