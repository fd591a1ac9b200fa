"""A fault proxy in a process of its own, so that it takes no time from whom it is between. Told by a control file.

`python -m razgovor.chaos.proxies` is the process; `ProxyProcess` starts, tells and stops it.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from razgovor.chaos.proxies.faults import HttpRule, TcpFault
from razgovor.chaos.proxies.http_proxy import HttpProxy
from razgovor.chaos.proxies.tcp_proxy import TcpProxy
from razgovor.embedded.owned_process import module_command, own_environment

_LOOK_EVERY_S: Final = 0.05
_START_TIMEOUT_S: Final = 20.0


class HttpOrders(BaseModel):
    """The control file of an HTTP proxy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["http"] = "http"
    generation: int = 0
    rules: tuple[HttpRule, ...] = ()


class TcpOrders(BaseModel):
    """The control file of a TCP proxy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["tcp"] = "tcp"
    generation: int = 0
    rules: tuple[TcpFault, ...] = ()


class _Orders(BaseModel):
    orders: Annotated[HttpOrders | TcpOrders, Field(discriminator="kind")]


class ProxyFailed(RuntimeError):
    """The proxy's process did not do what it was told."""


def work(upstream: str, folder: Path, *, port: int, seed: int, stop: threading.Event) -> None:
    """The process: serve until told to stop, follow `control.json`, tell by `status.json`."""
    orders = _read_orders(folder)
    if isinstance(orders, HttpOrders):
        with HttpProxy(upstream, port=port, seed=seed) as http:
            _follow(http, folder, stop)
    else:
        with TcpProxy(upstream, port=port, seed=seed) as tcp:
            _follow(tcp, folder, stop)


def _follow(proxy: HttpProxy | TcpProxy, folder: Path, stop: threading.Event) -> None:
    done, told = -1, ""
    while True:
        orders = _read_orders(folder)
        if orders.generation != done:
            if isinstance(proxy, HttpProxy) and isinstance(orders, HttpOrders):  # noqa: SIM114  types differ
                proxy.set(*orders.rules)
            elif isinstance(proxy, TcpProxy) and isinstance(orders, TcpOrders):
                proxy.set(*orders.rules)
            done = orders.generation
        facts = {"pid": os.getpid(), "port": proxy.port, "generation": done, "befallen": dict(proxy.befallen)}
        status = json.dumps(facts)
        if status != told:
            _replace(folder / "status.json", status)
            told = status
        if stop.wait(_LOOK_EVERY_S):
            return


def _read_orders(folder: Path) -> HttpOrders | TcpOrders:
    text = (folder / "control.json").read_text(encoding="utf-8")
    return _Orders.model_validate_json(f'{{"orders": {text}}}').orders


def _replace(path: Path, text: str) -> None:
    scratch = path.with_suffix(".tmp")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


class ProxyProcess:
    """A proxy's process. `rules` given to `set` are in force when it returns.

    Args:
        kind: `http` or `tcp`.
        upstream: `host:port` of the server behind.
        folder: Its own; made if it is missing.
        port: Where to listen; 0: any free port.
        seed: Draws which requests are befallen.
    """

    def __init__(
        self, kind: Literal["http", "tcp"], upstream: str, folder: Path, *, port: int = 0, seed: int = 0
    ) -> None:
        self._kind = kind
        self._folder = folder
        self._generation = 0
        self._command = [
            *module_command("razgovor.chaos.proxies"),
            *("--upstream", upstream, "--folder", str(folder), "--port", str(port), "--seed", str(seed)),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """`host:port` to connect to."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            ProxyFailed: It does not.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "status.json").unlink(missing_ok=True)
        self._write_orders(())
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=own_environment())
        self.port = int(str(self._wait()["port"]))

    def set(self, *rules: HttpRule | TcpFault) -> None:
        """Let these take the place of the former; none: pass everything.

        Raises:
            ProxyFailed: It does not follow.
        """
        self._generation += 1
        self._write_orders(rules)
        self._wait()

    def befallen(self) -> Mapping[str, int]:
        """How often each kind of fault struck, as of a moment ago."""
        found = self._status().get("befallen", {})
        return found if isinstance(found, dict) else {}

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _write_orders(self, rules: Sequence[HttpRule | TcpFault]) -> None:
        told = {"kind": self._kind, "generation": self._generation, "rules": [rule.model_dump() for rule in rules]}
        try:
            orders = _Orders.model_validate({"orders": told}).orders
        except ValidationError as error:
            raise ProxyFailed(f"not what a {self._kind} proxy can be told") from error
        _replace(self._folder / "control.json", orders.model_dump_json())

    def _status(self) -> Mapping[str, object]:
        with suppress(FileNotFoundError):
            found: Mapping[str, object] = json.loads((self._folder / "status.json").read_text(encoding="utf-8"))
            return found
        return {}

    def _wait(self) -> Mapping[str, object]:
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while (status := self._status()).get("generation") != self._generation:
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline_s:
                raise ProxyFailed("the proxy's process is not there")
            time.sleep(_LOOK_EVERY_S)
        return status
