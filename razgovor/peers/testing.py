"""The set of peers that a test session may use. Fixtures are made of this (tests/conftest.py).

RAZGOVOR_PEERS names the folder (`.peers` where the session starts otherwise). Not running: the test is skipped, or fails where
RAZGOVOR_REQUIRE_PEERS is set, so that a run that is to prove something can't pass by skipping.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.addresses import PeerAddresses, peers_in

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER: Final = "RAZGOVOR_PEERS"
REQUIRED: Final = "RAZGOVOR_REQUIRE_PEERS"

T = TypeVar("T")


class PeersAbsent(EmbeddedFailed):
    """The peer that a test wants does not run; `required`: that is a failure, not a reason to skip."""

    def __init__(self, why: str, *, required: bool) -> None:
        super().__init__(why)
        self.required = required


def running(environment: Mapping[str, str], pick: Callable[[PeerAddresses], T | None]) -> T:
    """The peer that `pick` takes of the set in use.

    Raises:
        PeersAbsent: It does not run.
    """
    required = environment.get(REQUIRED, "") not in {"", "0"}
    try:
        found = pick(peers_in(Path(environment.get(FOLDER, "") or ".peers")))
    except EmbeddedFailed as error:
        raise PeersAbsent(str(error), required=required) from error
    if found is None:
        raise PeersAbsent("this peer is not part of the set that runs: make peers", required=required)
    return found
