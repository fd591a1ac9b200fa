from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from razgovor.embedded import folder_lock
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.addresses import ADDRESSES, KEEPER_LOCK, KafkaPeer, PeerAddresses, S3Peer, peers_in
from razgovor.peers.testing import PeersAbsent, is_required, running

SET = PeerAddresses(
    kafka=KafkaPeer(bootstrap_servers="127.0.0.1:1"),
    s3=S3Peer(endpoint="http://127.0.0.1:2", access_key="who", secret_key="s3cret", region="here"),
)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    SET.write(tmp_path)
    lock = folder_lock.take(tmp_path / KEEPER_LOCK, timeout_s=0, otherwise="")
    yield tmp_path
    os.close(lock)


def test_what_was_written_is_found(kept: Path) -> None:
    assert peers_in(kept) == SET
    assert stat.S_IMODE((kept / ADDRESSES).stat().st_mode) == 0o600


def test_a_set_whose_keeper_is_gone_counts_as_none(tmp_path: Path) -> None:
    SET.write(tmp_path)
    with pytest.raises(EmbeddedFailed, match="have ended"):
        peers_in(tmp_path)


def test_secrets_stay_out_of_what_is_printed() -> None:
    assert "s3cret" not in repr(SET)


def test_a_test_gets_its_peer(kept: Path) -> None:
    assert running({"RAZGOVOR_PEERS": str(kept)}, lambda peers: peers.kafka) == SET.kafka


@pytest.mark.parametrize(("value", "required"), [("1", True), ("", False), ("0", False), (None, False)])
def test_what_a_test_lacks_is_a_failure_where_that_is_said(value: str | None, *, required: bool) -> None:
    assert is_required({} if value is None else {"RAZGOVOR_REQUIRE_PEERS": value}) is required


def test_without_a_set_that_runs_every_peer_is_absent(tmp_path: Path) -> None:
    with pytest.raises(PeersAbsent, match="no peers run"):
        running({"RAZGOVOR_PEERS": str(tmp_path)}, lambda peers: peers.kafka)


def test_a_peer_outside_of_the_set_that_runs_is_absent(kept: Path) -> None:
    with pytest.raises(PeersAbsent, match="not part of the set"):
        running({"RAZGOVOR_PEERS": str(kept)}, lambda peers: peers.registry)
