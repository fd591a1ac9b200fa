"""`razgovor store` on a real MinIO: what it makes, and what each service's credentials can do then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.blobs.options import Credentials
from pipeline.blobs.ports import BlobStore
from pipeline.blobs.s3 import S3Store
from pipeline.blobs.s3.admin import BucketAdmin
from pipeline.errors import Fatal
from razgovor.commands import store as store_command
from razgovor.peers import MinioServer
from razgovor.storage.plan import user_of
from tests.buckets import Bucket, owned_bucket

pytestmark = pytest.mark.peers
PLAN = Path(__file__).parents[4] / "compose/store"
SERVICES = ("ingest", "transcriber", "exporter", "ledger", "auditor", "analytics")
SHA = "0" * 64


@dataclass(frozen=True)
class Deployment:
    """A store as `razgovor store apply` left it."""

    bucket: Bucket
    secrets: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(store_command.app, [*arguments, "--from", str(PLAN), "--users", "minio"])
        return done.exit_code, done.output

    def apply(self, *arguments: str) -> tuple[int, str]:
        return self.run("apply", "--secrets", str(self.secrets), *arguments)

    def as_service(self, service: str) -> S3Store:
        secret = (self.secrets / f"{service}_store_secret_key").read_text().strip()
        options = replace(self.bucket.options, credentials=Credentials(user_of(service), secret))
        return S3Store(self.bucket.address, options)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinioServer]:
    """Its own: users belong to a server, not to a bucket."""
    with MinioServer(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture
def deployment(server: MinioServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    bucket = owned_bucket(server.endpoint, server.region, Credentials(server.access_key, server.secret_key))
    monkeypatch.setenv("RAZGOVOR_STORE_URL", bucket.url)
    monkeypatch.setenv("RAZGOVOR_STORE_ACCESS_KEY", server.access_key)
    monkeypatch.setenv("RAZGOVOR_STORE_SECRET_KEY", server.secret_key)
    monkeypatch.setenv("RAZGOVOR_STORE_ENCRYPTION", "sse-s3")
    return Deployment(bucket, tmp_path / "secrets")


def test_check_names_what_differs_until_it_is_applied(deployment: Deployment) -> None:
    status, output = deployment.run("check")
    assert (status, output.strip()) == (1, "bucket: differs (there is none)")
    status, output = deployment.apply("--retention-days", "400")
    assert status == 0, output
    assert "lifecycle razgovor-uploads: not offered" in output
    status, output = deployment.run("check", "--retention-days", "400")
    assert (status, "differs" in output) == (0, False)
    status, output = deployment.run("check")
    assert (status, "lifecycle razgovor-retention: differs" in output) == (1, True)


def test_apply_again_keeps_secrets_and_puts_right_what_was_changed(deployment: Deployment) -> None:
    deployment.apply()
    secrets = {path.name: path.read_text() for path in deployment.secrets.iterdir()}
    assert {path.stat().st_mode & 0o777 for path in deployment.secrets.iterdir()} == {0o600}
    with closing(BucketAdmin(deployment.bucket.address, deployment.bucket.options)) as admin:
        admin.lifecycle(
            [{"ID": "other", "Status": "Enabled", "Filter": {"Prefix": "jobs/"}, "Expiration": {"Days": 1}}], apply=True
        )
    assert deployment.run("check")[0] == 1
    assert deployment.apply()[0] == 0
    assert deployment.run("check")[0] == 0
    assert {path.name: path.read_text() for path in deployment.secrets.iterdir()} == secrets


def test_the_bucket_encrypts_what_comes_without_asking(deployment: Deployment) -> None:
    deployment.apply()
    deployment.bucket.store.put("jobs/1/call.json", b"{}", media_type="application/json")
    head = deployment.bucket.http.request("HEAD", "jobs/1/call.json")
    assert head.headers["x-amz-server-side-encryption"] == "AES256"


def test_a_wrong_owner_is_named(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAZGOVOR_STORE_SECRET_KEY", "wrong-secret")
    status, output = deployment.apply()
    assert status == 1
    assert "refuses us" in output
    assert "wrong-secret" not in output


def large_upload(store: BlobStore) -> None:
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        writer.write(bytes(9 * 2**20))
        writer.commit()


def left_upload(store: BlobStore) -> None:
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        writer.write(bytes(9 * 2**20))


def put(key: str) -> Callable[[BlobStore], object]:
    return lambda store: store.put(key, b"other", media_type="text/plain")


def read(key: str) -> Callable[[BlobStore], object]:
    return lambda store: store.read(key)


def delete(key: str) -> Callable[[BlobStore], object]:
    return lambda store: store.delete(key)


def fuse(group: str) -> str:
    return f"control/fuse-{group}"


def later(store: BlobStore) -> object:
    return store.discard_uploads(datetime.now(UTC) + timedelta(days=1))


AUDIO, CALL = "jobs/1/audio", "jobs/1/call.json"
TRANSCRIPT, ARTEFACT = f"jobs/1/1/{SHA}/transcript.json", f"jobs/1/1/{SHA}/call.txt"
START = "jobs/1/1/start-1"
#: What is done, and who may.
OPERATIONS: dict[str, tuple[Callable[[BlobStore], object], set[str]]] = {
    "verify": (lambda store: store.verify(), {"ingest", "transcriber", "exporter"}),
    "list": (lambda store: list(store.list("jobs/")), set(SERVICES)),
    "miss": (lambda store: store.stat("jobs/none/1/start-1"), {"ingest", "transcriber", "auditor"}),
    "put audio": (put(AUDIO), {"ingest"}),
    "put large audio": (large_upload, {"ingest"}),
    "leave large audio": (left_upload, {"ingest"}),
    "put call": (put(CALL), {"ingest"}),
    "put start": (put(START), {"transcriber"}),
    "put transcript": (put(TRANSCRIPT), {"transcriber"}),
    "put artefact": (put(ARTEFACT), {"exporter"}),
    "put elsewhere": (put("other/1"), set()),
    "read audio": (read(AUDIO), {"ingest", "transcriber", "auditor"}),
    "read call": (read(CALL), {"ingest", "transcriber", "exporter", "auditor"}),
    "read transcript": (read(TRANSCRIPT), {"ingest", "transcriber", "exporter", "auditor", "analytics"}),
    "read artefact": (read(ARTEFACT), {"ingest", "transcriber", "exporter", "auditor"}),
    "sweep uploads": (later, {"ledger"}),
    "delete audio": (delete(AUDIO), {"ingest", "ledger"}),
    "delete transcript": (delete(TRANSCRIPT), {"ledger"}),
    "delete start": (delete(START), {"ledger"}),
    "mark time": (put("control/janitor"), {"ledger"}),
    **{f"blow fuse of {group}": (put(fuse(group)), {group}) for group in ("transcriber", "exporter", "ledger")},
    **{
        f"look at fuse of {group}": (read(fuse(group)), {group, "ledger", "auditor"})
        for group in ("transcriber", "exporter")
    },
    "lift fuse": (delete(fuse("exporter")), {"ledger"}),
    "sing": (put("control/canary-exporter"), {"exporter"}),
}


def test_each_service_can_do_what_it_needs_and_nothing_else(deployment: Deployment) -> None:
    deployment.apply()
    owner = deployment.bucket.store
    for key in (AUDIO, CALL, TRANSCRIPT, ARTEFACT, START, *(map(fuse, ("transcriber", "exporter", "ledger")))):
        owner.put(key, b"sound", media_type="text/plain")
    wrong = []
    for service in SERVICES:
        store = deployment.as_service(service)
        for name, (operation, allowed) in OPERATIONS.items():
            if may(store, operation) != (service in allowed):
                wrong.append((service, name))
            if name.startswith(("delete", "lift")):
                for key in (AUDIO, TRANSCRIPT, START, fuse("exporter")):
                    owner.put(key, b"sound", media_type="text/plain")
    assert wrong == []


def may(store: BlobStore, operation: Callable[[BlobStore], object]) -> bool:
    try:
        operation(store)
    except Fatal:
        return False
    return True
