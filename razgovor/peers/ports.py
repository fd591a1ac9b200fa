"""Ports on loopback for servers that may be killed and come back. Below the range that the kernel gives to clients.

A client that keeps asking for a port of that range while nobody listens may be given the very port as its own, connect to
itself, and block the server's return. So servers take theirs below it.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

from razgovor.embedded.errors import EmbeddedFailed

LOWEST: Final = 10_000
HIGHEST: Final = 32_000
TRIES: Final = 200
_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that nobody listens on now, drawn by chance so that two who draw at once hardly meet.

    Raises:
        EmbeddedFailed: There is none.
    """
    draw = random.SystemRandom()
    highest = _highest()
    for _ in range(TRIES):
        port = draw.randint(LOWEST, highest)
        if is_free(port):
            return port
    raise EmbeddedFailed(f"no free port on loopback between {LOWEST} and {highest}")


def is_free(port: int) -> bool:
    """Whether a server could listen on a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: what is in TIME_WAIT does not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _highest() -> int:
    try:
        lowest_of_clients = int(_RANGE_FILE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return HIGHEST
    return min(HIGHEST, lowest_of_clients - 1) if lowest_of_clients > 2 * LOWEST else HIGHEST
