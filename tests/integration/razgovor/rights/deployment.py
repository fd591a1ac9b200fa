"""The four services, a process each, with a user of its own at Kafka, store and database, and the rights of the shipped files alone.

Kafka asks for SCRAM over TLS and has the rights of compose/kafka/acls.yaml; MinIO has the users of compose/store/policies;
PostgreSQL has its roles. The transcriber is the test build, which needs no model and goes to the same peers.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from typer.testing import CliRunner, Result

from pipeline.blobs.options import Credentials
from pipeline.contracts import states
from pipeline.contracts.events import CallRecorded, SourceObject
from pipeline.contracts.transcript import sha256_hex
from pipeline.stream import wire
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.ports import Record
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.__main__ import app
from razgovor.chaos.crew import Crew
from razgovor.chaos.recordings import recording
from razgovor.chaos.worker import Worker
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers import MinioServer
from razgovor.storage.minio_users import MinioUsers
from razgovor.storage.plan import user_of
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.ingest.scopes import SCOPES
from tests.buckets import Bucket, owned_bucket
from tests.integration.pipeline.stream.secured import SecuredKafka, environment, password

PLAN = Path(__file__).parents[4] / "compose" / "store"
SERVICES = ("ledger", "ingest", "transcriber", "exporter")
STORE_USERS = (*SERVICES, "auditor", "analytics")
#: The user with whom ingest reads recordings that lie elsewhere.
SOURCE = "source"
ENCRYPTION = "sse-s3"
#: What an operator sets in hours and minutes, in seconds; both group protocols, which ask for other rights.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "ledger": {"SWEEP_EVERY_S": "1", "ORPHAN_AFTER_S": "5", "KAFKA_GROUP_PROTOCOL": "consumer"},
    "ingest": {"PORT": "0", "RELAY_POLL_S": "0.2", "PROBE_CHILDREN": "1", "CALL_EVENTS": "true"},
    "transcriber": {"RETRY_DELAY_S": "0.5"},
    "exporter": {"KAFKA_GROUP_PROTOCOL": "consumer"},
}


class Deployment:
    """Everything that runs, and its clients: one by REST, one upstream system."""

    def __init__(self, folder: Path, kafka: SecuredKafka, minio: MinioServer, urls: DatabaseUrls) -> None:
        self.kafka, self.minio, self.urls = kafka, minio, urls
        self._folder = folder
        owner = Credentials(minio.access_key, minio.secret_key)
        self.bucket: Bucket = owned_bucket(minio.endpoint, minio.region, owner)
        self.upstream: Bucket = owned_bucket(minio.endpoint, minio.region, owner)
        self.source_secret = secrets.token_hex()
        self._make_stores()
        self._numbers = itertools.count(1)
        workers = folder / "workers"
        workers.mkdir()
        self.crew = Crew(Worker(service, 0, workers, self.environment_of(service)) for service in SERVICES)

    def start(self) -> None:
        self.crew.start()
        client = Client(client_id="acme", name="Acme", sources=(self._source("acme/"),))
        key = create_key(self.urls.ingest, client, SCOPES)
        (ingest,) = self.crew.workers("ingest")
        headers = {"Authorization": f"Bearer {key}"}
        self.rest = httpx.Client(base_url=str(ingest.fact("address")), headers=headers, timeout=60)

    def stop(self) -> None:
        self.rest.close()
        self.crew.stop()

    def store_secret(self, user: str) -> str:
        return (self._folder / "secrets" / f"{user}_store_secret_key").read_text(encoding="utf-8").strip()

    def _make_stores(self) -> None:
        """Bucket, users and policies as an operator makes them, and a bucket elsewhere that one user may read."""
        owner = {
            "RAZGOVOR_STORE_URL": self.bucket.url,
            "RAZGOVOR_STORE_ACCESS_KEY": self.minio.access_key,
            "RAZGOVOR_STORE_SECRET_KEY": self.minio.secret_key,
            "RAZGOVOR_STORE_ENCRYPTION": ENCRYPTION,
        }
        plan = ("--from", str(PLAN), "--users", "minio", "--secrets", str(self._folder / "secrets"))
        done = CliRunner().invoke(app, ["store", "apply", *plan], env=owner)
        assert done.exit_code == 0, done.output
        assert self.upstream.http.request("PUT").status == 200
        at = f"arn:aws:s3:::{self.upstream.address.bucket}"
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [at]},
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{at}/acme/*"]},
            ],
        }
        with closing(MinioUsers(self.upstream.address, self.upstream.options)) as users:
            users.apply(SOURCE, policy, self.source_secret)

    def environment_of(self, service: str) -> dict[str, str]:
        """A service's settings: its own credentials, and nobody else's."""
        told = {
            "STOP_WITH_PARENT": "true",
            "SCRATCH_DIR": str(self._folder),
            **self.store_environment(service),
            **SETTINGS[service],
        }
        if service in {"ingest", "ledger"}:
            told["DATABASE_URL"] = self.urls.ingest if service == "ingest" else self.urls.ledger
        if service == "ingest":
            told["SOURCE_URL"] = f"s3://?endpoint={self.minio.endpoint}&region={self.minio.region}"
            told |= {"SOURCE_ACCESS_KEY": user_of(SOURCE), "SOURCE_SECRET_KEY": self.source_secret}
        return {
            **environment(self.kafka.as_user(service), service.upper()),
            **{f"{service.upper()}_{name}": value for name, value in told.items()},
            "RAZGOVOR_ENGINE_S": "1",
        }

    def store_environment(self, user: str) -> dict[str, str]:
        return {
            "STORE_URL": self.bucket.url,
            "STORE_ACCESS_KEY": user_of(user),
            "STORE_SECRET_KEY": self.store_secret(user),
            "STORE_ENCRYPTION": ENCRYPTION,
        }

    def secrets(self) -> dict[str, str]:
        """Every secret there is, by whose it is."""
        admin = {"owner of the store": self.minio.secret_key, "admin of the brokers": password("admin")}
        roles = {"database admin": self.urls.admin, "database auditor": self.urls.auditor}
        roles |= {"database ingest": self.urls.ingest, "database ledger": self.urls.ledger}
        return {
            **admin,
            **{role: str(urlsplit(url).password) for role, url in roles.items()},
            **{f"store {user}": self.store_secret(user) for user in STORE_USERS},
            **{f"brokers {user}": password(user) for user in (*SERVICES, "operator")},
            f"store {SOURCE}": self.source_secret,
        }

    def _source(self, key: str) -> str:
        return f"s3://{self.upstream.address.bucket}/{key}"

    def recording(self, duration_s: float = 0.5) -> bytes:
        """No two alike."""
        return recording(0, next(self._numbers), duration_s=duration_s)

    def submit(self, data: bytes, formats: str = "txt") -> str:
        answer = self.rest.post("/v1/jobs", params={"formats": formats}, content=data)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def submit_by_reference(self, data: bytes) -> str:
        key = self._put_upstream(data)
        answer = self.rest.post("/v1/jobs", json={"audio_url": self._source(key), "formats": ["txt"]})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def submit_by_event(self, data: bytes) -> str:
        key = self._put_upstream(data)
        audio = SourceObject(
            bucket=self.upstream.address.bucket, key=key, sha256=sha256_hex(data), size_bytes=len(data)
        )
        event: CallRecorded = samples.call_recorded(sha256_hex(data)[:32], audio=audio, formats=("txt",))
        self.publish(wire.encode(event))
        return event.job_id

    def _put_upstream(self, data: bytes) -> str:
        key = f"acme/{next(self._numbers)}.wav"
        self.upstream.store.put(key, data, media_type="audio/wav")
        return key

    def publish(self, *records: Record) -> None:
        """As a system that is none of ours, by a listener that asks for nothing."""
        with closing(KafkaProducer(self.kafka.open)) as producer:
            producer.publish(records)

    def state(self, job_id: str) -> str:
        return str(self.rest.get(f"/v1/jobs/{job_id}").json().get("state"))

    def end(self, job_id: str) -> str:
        """The state in which a job ends."""

        def end() -> str:
            found = self.state(job_id)
            return found if found in states.TERMINAL else ""

        return eventually(end, deadline_s=60, every_s=0.1)

    def text(self, job_id: str) -> str:
        answer = self.rest.get(f"/v1/jobs/{job_id}/transcript", params={"format": "txt"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def operate(self, *words: str) -> Result:
        """A command as the operator runs it: his user at the brokers, the ledger's and ingest's at the rest."""
        told = {
            **environment(self.kafka.as_user("operator"), "LEDGER"),
            **{f"LEDGER_{name}": value for name, value in self.store_environment("ledger").items()},
            "LEDGER_DATABASE_URL": self.urls.ledger,
            "INGEST_DATABASE_URL": self.urls.ingest,
        }
        return CliRunner().invoke(app, list(words), env=told)

    def audit(self, *words: str) -> Result:
        """`razgovor audit` as the auditor, at the brokers as the operator."""
        told = {
            **environment(self.kafka.as_user("operator"), "AUDITOR"),
            **{f"AUDITOR_{name}": value for name, value in self.store_environment("auditor").items()},
            "AUDITOR_DATABASE_URL": self.urls.auditor,
        }
        return CliRunner().invoke(app, ["audit", *words], env=told)

    def refusals(self) -> list[str]:
        """What services or brokers say of something that was not allowed."""
        logs = [self.kafka.server.log, *(worker.log for worker in self.crew.workers())]
        lines = (line for log in logs for line in log.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if any(word in line for word in ("is Denied", "AUTHORIZATION", "AccessDenied"))]
