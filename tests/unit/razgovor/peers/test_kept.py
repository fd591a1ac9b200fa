from __future__ import annotations

import stat
from pathlib import Path

from razgovor.peers.kept import Kept
from razgovor.peers.ports import LOWEST, free_port


def test_what_was_drawn_once_stays(tmp_path: Path) -> None:
    first = Kept(tmp_path / "kept.json")
    port, secret = first.port("s3"), first.secret("key")
    again = Kept(tmp_path / "kept.json")
    assert (again.port("s3"), again.secret("key")) == (port, secret)
    assert again.port("other") != port or again.secret("other") != secret
    assert stat.S_IMODE((tmp_path / "kept.json").stat().st_mode) == 0o600


def test_ports_lie_below_those_that_the_kernel_gives_to_clients() -> None:
    clients_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert LOWEST <= free_port() < clients_from
