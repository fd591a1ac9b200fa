"""The set of peers that a test session may use. Fixtures are made of this (tests/conftest.py).

RAZGOVOR_PEERS names the folder (`.peers` where the session starts otherwise). What a test lacks makes it skip, or fail where
RAZGOVOR_REQUIRE_PEERS is set, so that a run that is to prove something can't pass by skipping.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from razgovor.embedded import postgres_elsewhere
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import AUDITOR, INGEST, LEDGER, DatabaseUrls
from razgovor.peers.addresses import PeerAddresses, PostgresPeer, peers_in

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER: Final = "RAZGOVOR_PEERS"
REQUIRED: Final = "RAZGOVOR_REQUIRE_PEERS"

T = TypeVar("T")


class PeersAbsent(EmbeddedFailed):
    """The peer that a test wants does not run."""


def is_required(environment: Mapping[str, str]) -> bool:
    """Whether what a test lacks is a failure, not a reason to skip."""
    return environment.get(REQUIRED, "") not in {"", "0"}


def running(environment: Mapping[str, str], pick: Callable[[PeerAddresses], T | None]) -> T:
    """The peer that `pick` takes of the set in use.

    Raises:
        PeersAbsent: It does not run.
    """
    try:
        found = pick(peers_in(Path(environment.get(FOLDER, "") or ".peers")))
    except EmbeddedFailed as error:
        raise PeersAbsent(str(error)) from error
    if found is None:
        raise PeersAbsent("this peer is not part of the set that runs: make peers")
    return found


def create_database(peer: PostgresPeer, name: str) -> DatabaseUrls:
    """A further database on the set's PostgreSQL, with the same roles and schemas.

    Args:
        peer: Where.
        name: Letters, digits and underscores.
    """
    logins = {INGEST: peer.ingest_url, LEDGER: peer.ledger_url, AUDITOR: peer.auditor_url}
    words = {role: urlsplit(url).password or "" for role, url in logins.items()}
    return postgres_elsewhere.create(urlsplit(peer.admin_url)._replace(path=f"/{name}").geturl(), words)
