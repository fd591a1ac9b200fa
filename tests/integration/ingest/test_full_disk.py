"""Fault 9 at ingest: with a full store uploads get 503 and leave nothing; when it is freed they are accepted."""

from __future__ import annotations

from pathlib import Path

import httpx

from pipeline.stream.kafka_mock import MockCluster
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.admin import create_key
from services.ingest.clients import Client
from tests.integration.disks import small_disk
from tests.integration.ingest.process import running
from tests.unit.ingest.rig import wav


def test_uploads_wait_for_a_full_disk(tmp_path: Path, migrated: DatabaseUrls) -> None:
    key = create_key(migrated.ingest, Client(client_id="acme", name="Acme"))
    with (
        small_disk(tmp_path / "disk", size_bytes=8 * 2**20) as disk,
        MockCluster() as broker,
        running(tmp_path, migrated.ingest, broker.address, INGEST_STORE_URL=(disk.folder / "store").as_uri()) as ingest,
        httpx.Client(base_url=ingest.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http,
    ):
        disk.fill()
        refused = http.post("/v1/jobs", content=wav())
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert not [path for path in (disk.folder / "store").rglob("*") if path.is_file()]
        disk.free()
        assert http.post("/v1/jobs", content=wav()).status_code == 202
