"""Says that a call was recorded, with the registry's own serializer: confluent-kafka alone, nothing of ours.

pip install 'confluent-kafka[avro,schemaregistry]'
python publish_call.py localhost:9092 http://localhost:8081 acme pbx-184 acme-calls 2026/11/23/184.wav
"""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOPIC = "call.recorded"
JOBS = uuid.UUID("8c0a6a0e-2f57-5b0c-9f0d-6f2f0a3f4d61")


def main(  # noqa: PLR0917  as they stand on the command line
    bootstrap_servers: str, registry_url: str, client_id: str, call_id: str, bucket: str, key: str, event_id: str = ""
) -> None:
    """Publish one event, wait until the broker has it, print which job it asks for."""
    # Keep the id with the call: whoever is not sure that an event arrived sends it again with the same id.
    event_id = event_id or str(uuid.uuid4())
    event = {
        "event_id": event_id,
        "client_id": client_id,
        "call_id": call_id,
        "recorded_at": datetime.now(UTC),
        "audio": {"bucket": bucket, "key": key},  # what is left out has the schema's default
        "channel_roles": ["operator", "customer"],
    }
    registered = {"auto.register.schemas": False, "use.latest.version": True}
    with SchemaRegistryClient({"url": registry_url}) as registry:
        serialize = AvroSerializer(registry, conf=registered)
        value = serialize(event, SerializationContext(TOPIC, MessageField.VALUE))
    producer = Producer({"bootstrap.servers": bootstrap_servers, "acks": "all", "enable.idempotence": True})
    producer.produce(TOPIC, key=call_id, value=value, on_delivery=delivered)
    if producer.flush(30):
        raise SystemExit("not delivered: send it again with the same event id")
    print(f"event {event_id} asks for job {uuid.uuid5(uuid.uuid5(JOBS, client_id), event_id)}")


def delivered(error: object, _message: object) -> None:
    """Told by the broker."""
    if error is not None:
        raise SystemExit(f"not delivered: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
