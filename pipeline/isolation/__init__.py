"""Work that may crash, hang or eat memory, in a child process that can die without its parent.

Called by ingest (probing what strangers upload) and the transcriber (decoding, the speech engine). A child is started
by `ChildProcess`, builds its function from a factory and serves requests over a socket, one at a time or several side by
side; large data go through files, never through the socket. This keeps faults apart; it is no sandbox against code that takes the child over.
"""

from pipeline.isolation.errors import ChildClosed, ChildCrashed, ChildError, ChildFailed, ChildTimeout
from pipeline.isolation.limits import Limits
from pipeline.isolation.pool import ChildPool
from pipeline.isolation.process import ChildProcess

__all__ = [
    "ChildClosed",
    "ChildCrashed",
    "ChildError",
    "ChildFailed",
    "ChildPool",
    "ChildProcess",
    "ChildTimeout",
    "Limits",
]
