"""Follows transcript.ready and keeps what was said in a database of its own. Nothing of ours: confluent-kafka, fastavro, boto3.

pip install 'confluent-kafka[avro,schemaregistry]' fastavro boto3
python subscriber.py --bootstrap-servers kafka:9092 --registry http://registry:8081 \
    --store-endpoint https://s3.example --bucket calls --database analytics.db

Without a schema registry say --schemas with the folder `schemas` of the release. The store's user is razgovor-analytics,
which may read transcripts and nothing else; its name and secret are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. A Kafka
that asks for passwords: --kafka NAME=VALUE, several times, as librdkafka calls its settings.

Three things that every subscriber has to do are done here: an event that comes twice counts once (by event_id), the highest
run of a job counts, and the offset is committed after the effect. What is gone meanwhile (erased, expired) is passed over.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import fastavro
from botocore.exceptions import ClientError
from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro.schema import fingerprint, to_parsing_canonical_form

TABLES = """
CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS calls (
    job_id TEXT PRIMARY KEY, run INTEGER NOT NULL, client_id TEXT NOT NULL, call_id TEXT NOT NULL, said TEXT NOT NULL
);
"""
#: A job's highest run counts.
KEEP = """
INSERT INTO calls (job_id, run, client_id, call_id, said) VALUES (:job_id, :run, :client_id, :call_id, :said)
ON CONFLICT (job_id) DO UPDATE SET run = excluded.run, said = excluded.said WHERE excluded.run > calls.run
"""
SINGLE_OBJECT = b"\xc3\x01"
GONE = {"404", "NoSuchKey"}

Decode = Callable[[bytes], dict[str, Any]]


def by_registry(url: str, topic: str) -> Decode:
    """Reads values in the Confluent format, by the registry's id."""
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": url}))
    context = SerializationContext(topic, MessageField.VALUE)
    return lambda value: deserialize(value, context)


def by_folder(schemas: Path) -> Decode:
    """Reads values in Avro single-object encoding, by the fingerprints of the released schemas."""
    known = {}
    for path in schemas.glob("*/v*.avsc"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        mark = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
        known[bytes.fromhex(mark)] = fastavro.parse_schema(schema)

    def decode(value: bytes) -> dict[str, Any]:
        if value[:2] != SINGLE_OBJECT:
            raise SystemExit("this is no single-object encoding: is there a schema registry?")
        event: dict[str, Any] = fastavro.schemaless_reader(io.BytesIO(value[10:]), known[value[2:10]])
        return event

    return decode


class Store:
    """Reads transcripts."""

    def __init__(self, endpoint: str, bucket: str, region: str) -> None:
        self._bucket = bucket
        self._client = boto3.client("s3", endpoint_url=endpoint, region_name=region)

    def transcript(self, where: dict[str, Any]) -> dict[str, Any] | None:
        """The transcript that an event names; None if it is there no more."""
        try:
            data = self._client.get_object(Bucket=self._bucket, Key=where["key"])["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return None
            raise
        if hashlib.sha256(data).hexdigest() != where["sha256"]:
            raise SystemExit(f"{where['key']} is not what was announced")
        found: dict[str, Any] = json.loads(data)
        return found


def said(transcript: dict[str, Any]) -> str:
    """The dialogue, a line a turn; who speaks is told by the channel, where that is known."""
    turns = sorted(transcript["turns"], key=lambda turn: turn["start_s"])
    return "\n".join(f"{turn['role'] or turn['channel'] + 1}: {turn['text']}" for turn in turns)


def take(event: dict[str, Any], store: Store, database: sqlite3.Connection) -> str:
    """Keep what an event tells of, once; says what became of it."""
    transcript = store.transcript(event["transcript"])
    with database:  # one transaction: the event counts if and only if its text is kept
        if database.execute("INSERT OR IGNORE INTO events VALUES (?)", (event["event_id"],)).rowcount == 0:
            return "known"
        if transcript is None:
            return "gone"
        row = {name: event[name] for name in ("job_id", "run", "client_id", "call_id")}
        database.execute(KEEP, {**row, "said": said(transcript)})
    return "kept"


def follow(arguments: argparse.Namespace) -> None:
    """Take events for ever, or until nothing has come for a while."""
    decode = by_registry(arguments.registry, arguments.topic) if arguments.registry else by_folder(arguments.schemas)
    store = Store(arguments.store_endpoint, arguments.bucket, arguments.region)
    database = sqlite3.connect(arguments.database)
    database.executescript(TABLES)
    consumer = Consumer(
        {
            "bootstrap.servers": arguments.bootstrap_servers,
            "group.id": arguments.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **dict(setting.split("=", 1) for setting in arguments.kafka),
        }
    )
    consumer.subscribe([arguments.topic])
    quiet_s = 0
    try:
        while arguments.until_quiet_s is None or quiet_s < arguments.until_quiet_s:
            message = consumer.poll(1.0)
            if message is None:
                quiet_s += 1
                continue
            if message.error() is not None:
                raise SystemExit(str(message.error()))
            quiet_s = 0
            event = decode(message.value())
            print(event["job_id"], event["run"], take(event, store, database), flush=True)
            consumer.commit(message, asynchronous=False)  # after the effect
    finally:
        consumer.close()
        database.close()


def main(words: list[str]) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Keeps what was said in calls.")
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--kafka", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--topic", default="transcript.ready")
    parser.add_argument("--group", default="analytics")
    parser.add_argument("--registry")
    parser.add_argument("--schemas", type=Path, default=Path("schemas"))
    parser.add_argument("--store-endpoint", required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--database", default="analytics.db")
    parser.add_argument("--until-quiet-s", type=int, help="end when nothing has come for so long")
    follow(parser.parse_args(words))


if __name__ == "__main__":
    main(sys.argv[1:])
