"""`razgovor store` on a real MinIO: what it makes, and what each service's credentials can do then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.blobs.options import Credentials
from pipeline.blobs.ports import BlobStore
from pipeline.blobs.s3 import S3Store
from pipeline.blobs.s3.admin import BucketAdmin
from pipeline.contracts import layout
from pipeline.errors import Fatal
from razgovor.commands import store as store_command
from razgovor.peers import MinioServer
from razgovor.storage.plan import BUCKET, user_of
from tests.buckets import Bucket, owned_bucket

pytestmark = pytest.mark.peers
PLAN = Path(__file__).parents[4] / "compose/store"
GROUPS = ("ingest", "transcriber", "exporter", "ledger")
SERVICES = (*GROUPS, "auditor", "analytics")
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
    assert "lifecycle razgovor-versions: done" in output
    status, output = deployment.run("check", "--retention-days", "400")
    assert (status, "differs" in output) == (0, False)
    assert "lifecycle razgovor-versions: as wanted" in output
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
    with store.writer(AUDIO, media_type="audio/x-wav") as writer:
        writer.write(bytes(9 * 2**20))
        writer.commit()


def left_upload(store: BlobStore) -> None:
    with store.writer(AUDIO, media_type="audio/x-wav") as writer:
        writer.write(bytes(9 * 2**20))


def later(store: BlobStore) -> object:
    return store.discard_uploads(datetime.now(UTC) + timedelta(days=1))


AUDIO, START, CANCELED = layout.audio_key("1"), layout.start_key("1", 1, 1), layout.called_off_key("1", 1)
GLOSSARY = layout.glossary_key("acme", "1")
ALL_OF_A_JOB = {"ingest", "transcriber", "auditor"}
#: Who may put, read and delete what lies under a key; nobody else.
RIGHTS: dict[str, tuple[set[str], set[str], set[str]]] = {
    AUDIO: ({"ingest"}, ALL_OF_A_JOB, {"ingest", "ledger"}),
    layout.call_info_key("1"): ({"ingest"}, ALL_OF_A_JOB | {"exporter"}, {"ingest", "ledger"}),
    START: ({"transcriber"}, ALL_OF_A_JOB, {"ledger"}),
    layout.start_released_key("1", 1, 1): ({"transcriber"}, ALL_OF_A_JOB, {"ledger"}),
    layout.start_alive_key("1", 1, 1, 1): ({"transcriber"}, ALL_OF_A_JOB, {"ledger"}),
    CANCELED: ({"ingest"}, ALL_OF_A_JOB | {"exporter"}, {"ledger"}),
    layout.transcript_key("1", 1, SHA): ({"transcriber"}, ALL_OF_A_JOB | {"exporter", "analytics"}, {"ledger"}),
    layout.artefact_key("1", 1, SHA, "txt"): ({"exporter"}, ALL_OF_A_JOB | {"exporter"}, {"ledger"}),
    "jobs/1/1/unheard-of": (set(), ALL_OF_A_JOB, {"ledger"}),
    GLOSSARY: ({"ingest"}, ALL_OF_A_JOB, {"ingest"}),
    layout.glossary_check_key("acme", "1", SHA, SHA): ({"ingest"}, ALL_OF_A_JOB, {"ingest"}),
    layout.JANITOR_KEY: ({"ledger"}, {"ledger", "auditor"}, set()),
    **{layout.fuse_key(group): ({group}, {group, "ledger", "auditor"}, {"ledger"}) for group in GROUPS},
    **{layout.canary_key(group): ({group}, {group, "auditor"}, set()) for group in GROUPS},
    "control/unheard-of": (set(), {"auditor"}, set()),
    "elsewhere/1": (set(), {"auditor"}, set()),
}
#: What else is done, and who may.
OPERATIONS: dict[str, tuple[Callable[[BlobStore], object], set[str]]] = {
    "verify": (lambda store: store.verify(), {"ingest", "transcriber", "exporter"}),
    "list": (lambda store: list(store.list("jobs/")), set(SERVICES)),
    "miss a start": (lambda store: store.stat(layout.start_key("none", 1, 1)), ALL_OF_A_JOB),
    "miss a cancelation": (lambda store: store.stat(layout.called_off_key("none", 1)), ALL_OF_A_JOB | {"exporter"}),
    "put large audio": (large_upload, {"ingest"}),
    "leave large audio": (left_upload, {"ingest"}),
    "sweep uploads": (later, {"ledger"}),
}


def test_each_service_can_do_what_it_needs_and_nothing_else(deployment: Deployment) -> None:
    deployment.apply()
    owner = deployment.bucket.store
    for key in RIGHTS:
        owner.put(key, b"sound", media_type="text/plain")
    wrong = []
    for service in SERVICES:
        store = deployment.as_service(service)
        for key, rights in RIGHTS.items():
            for attempt, allowed in zip((put, read, delete), rights, strict=True):
                if may(store, partial(attempt, key)) != (service in allowed):
                    wrong.append((service, attempt.__name__, key))
            owner.put(key, b"sound", media_type="text/plain")
        for name, (operation, allowed) in OPERATIONS.items():
            if may(store, operation) != (service in allowed):
                wrong.append((service, name, ""))
    assert wrong == []


def test_every_right_of_the_policies_is_tried() -> None:
    policies = [json.loads(path.read_text(encoding="utf-8")) for path in (PLAN / "policies").glob("*.json")]
    resources = {resource for one in policies for part in one["Statement"] for resource in part["Resource"]}
    patterns = {pattern for resource in resources if (pattern := resource.partition(f"{BUCKET}/")[2])}
    tried = [*RIGHTS, "control/verify-1"]
    assert [pattern for pattern in patterns if not any(fnmatchcase(key, pattern) for key in tried)] == []


def put(key: str, store: BlobStore) -> None:
    store.put(key, b"other", media_type="text/plain")


def read(key: str, store: BlobStore) -> object:
    return store.read(key)


def delete(key: str, store: BlobStore) -> None:
    store.delete(key)


def may(store: BlobStore, operation: Callable[[BlobStore], object]) -> bool:
    try:
        operation(store)
    except Fatal:
        return False
    return True
