from __future__ import annotations

from pathlib import Path

import pytest

from razgovor.embedded import postgres_elsewhere
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import DatabaseUrls, database_urls

URLS = DatabaseUrls(admin="postgresql://a:1@db/x", ingest="postgresql://i:2@db/x", ledger="postgresql://l:3@db/x")


def test_a_noted_database_is_found_by_the_folder_until_it_is_forgotten(tmp_path: Path) -> None:
    postgres_elsewhere.note(tmp_path, URLS)
    assert database_urls(tmp_path) == URLS
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    postgres_elsewhere.forget(tmp_path)
    with pytest.raises(EmbeddedFailed, match="no database runs"):
        database_urls(tmp_path)


@pytest.mark.parametrize("url", ["mysql://a:b@host/x", "postgresql:///x", "postgresql://host/x", "nonsense"])
def test_what_is_no_address_of_an_administrator_is_refused_without_being_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(EmbeddedFailed) as refused:
        postgres_elsewhere.prepare(url, tmp_path)
    assert url not in str(refused.value)
