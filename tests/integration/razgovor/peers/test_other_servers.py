from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError

from pipeline.testing.waiting import eventually
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import MinioServer, PostgresServer, RegistryServer, SshServer

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made


def register(server: RegistryServer, subject: str) -> int:
    request = urllib.request.Request(  # noqa: S310  # ours
        f"{server.url}/subjects/{subject}/versions",
        data=json.dumps({"schema": '"string"'}).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # ours
        return int(json.load(answer)["id"])


def test_a_registry_keeps_schemas_and_forgets_them_with_its_process(tmp_path: Path) -> None:
    with RegistryServer(tmp_path / "registry") as server:
        number = register(server, "a")
        assert register(server, "b") == number  # one schema, one id
        server.kill()
        server.start()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{server.url}/subjects/a/versions/1", timeout=30)  # noqa: S310  # ours


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_what_minio_has_taken_outlives_kill_9_and_lies_encrypted(tmp_path: Path) -> None:
    with MinioServer(tmp_path / "minio") as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name=server.region,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
        )
        client.create_bucket(Bucket="calls")
        client.put_object(Bucket="calls", Key="a", Body=b"spoken words", ServerSideEncryption="AES256")
        server.kill()
        server.start()
        assert client.get_object(Bucket="calls", Key="a")["Body"].read() == b"spoken words"
        on_disk = b"".join(path.read_bytes() for path in server.folder.rglob("data/calls/**/*") if path.is_file())
        assert on_disk
        assert b"spoken words" not in on_disk
        server.wipe()
        server.start()
        with pytest.raises(ClientError, match="NoSuchBucket"):
            client.list_objects_v2(Bucket="calls")
        client.close()


@pytest.mark.parametrize("wheel", [False, True])
def test_postgres_recovers_at_its_address_with_its_roles(folder: Path, *, wheel: bool) -> None:
    server = PostgresServer(folder / "postgres", fallback_root=folder / "fallback", wheel=wheel)
    try:
        server.start()
        urls = server.urls()
        with psycopg.connect(urls.ingest) as connection:
            connection.execute("CREATE TABLE ingest.kept AS SELECT 7 AS number")
        server.crash()
        eventually(lambda: not server.is_running)
        server.start()
        assert server.urls() == urls
        with psycopg.connect(urls.ingest) as connection:
            assert connection.execute("SELECT number FROM ingest.kept").fetchone() == (7,)
        other = server.create_database("other")
        with psycopg.connect(other.ledger) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("razgovor_ledger",)
        server.wipe()
        server.start()
        with psycopg.connect(urls.ingest) as connection:
            assert connection.execute("SELECT to_regclass('ingest.kept')").fetchone() == (None,)
    finally:
        server.remove()
    assert list(folder.iterdir()) in ([], [folder / "fallback"])


def test_files_go_over_sftp_with_the_key_and_not_without(tmp_path: Path) -> None:
    with SshServer(tmp_path / "ssh") as server:
        (tmp_path / "call.wav").write_bytes(b"sound")
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{server.port} {server.host_key.read_text(encoding='ascii')}", encoding="ascii")
        common = ["-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
        common += ["-o", "IdentitiesOnly=yes", "-P", str(server.port), f"{server.user}@127.0.0.1"]
        put = f"put {tmp_path / 'call.wav'}\n"
        refused = subprocess.run(["sftp", "-b", "-", "-F", "none", "-i", "/dev/null", *common], input=put, text=True, capture_output=True, check=False)  # noqa: S607  # fmt: skip
        assert refused.returncode != 0
        taken = subprocess.run(["sftp", "-b", "-", "-F", "none", "-i", str(server.private_key), *common], input=put, text=True, capture_output=True, check=False)  # noqa: S607  # fmt: skip
        assert taken.returncode == 0, taken.stderr
        assert (server.files / "call.wav").read_bytes() == b"sound"
