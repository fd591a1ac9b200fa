"""Whatever three clients send, by the API's own description and against it: no 5xx, and every answer is as described."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.stream.kafka_mock import MockCluster
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database
from tests.integration.ingest.fuzzing import CLIENTS, fuzzed


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CLIENTS)
def test_every_answer_is_as_described_and_none_is_an_error_of_ours(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, database: Database, name: str
) -> None:
    totals = fuzzed(name, tmp_path, migrated, database, broker.address)
    assert not totals.said
    assert totals.sound, totals
    assert sum(totals.requests.values()) > 200
