"""What a peer draws once and keeps in its folder: ports, passwords. 0600."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

from razgovor.embedded.private_file import write_private
from razgovor.peers.ports import free_port


class Kept:
    """Names and values in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def port(self, name: str) -> int:
        """The port of this name."""
        return int(self._value(f"{name}_port", lambda: str(free_port())))

    def secret(self, name: str) -> str:
        """The secret of this name: 40 hexadecimal digits."""
        return self._value(name, lambda: secrets.token_hex(20))

    def text(self, name: str, draw: Callable[[], str]) -> str:
        """The text of this name, drawn by `draw` when it is asked for the first time."""
        return self._value(name, draw)

    def forget(self) -> None:
        """Draw all anew from now on."""
        self._path.unlink(missing_ok=True)

    def _value(self, name: str, draw: Callable[[], str]) -> str:
        try:
            kept: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            kept = {}
        if name not in kept:
            kept[name] = draw()
            write_private(self._path, json.dumps(kept))
        return kept[name]
