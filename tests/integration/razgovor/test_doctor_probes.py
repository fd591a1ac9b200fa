"""The doctor asks a real PostgreSQL."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from razgovor.doctor import probes
from razgovor.embedded.postgres_access import DatabaseUrls


def left_behind() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("razgovor-doctor-*"))


def test_the_embedded_database_starts_and_leaves_nothing() -> None:
    before = left_behind()
    assert probes.ask_embedded_database().startswith("wheel ")
    assert left_behind() <= before


def test_a_database_is_asked_with_role_and_password(database_urls: DatabaseUrls) -> None:
    assert probes.ask_database(database_urls.ledger).startswith("PostgreSQL ")
    wrong = database_urls.ledger.replace("@/", "wrong@/", 1)
    with pytest.raises(probes.PeerFailed, match="password"):
        probes.ask_database(wrong)


def test_a_database_that_is_not_there_is_told_in_a_few_words() -> None:
    with pytest.raises(probes.PeerFailed) as caught:
        probes.ask_database("postgresql://somebody:geheim@127.0.0.1:1/nothing")
    assert str(caught.value) == "Connection refused"
