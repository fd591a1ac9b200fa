"""Reads events with the registry's own deserializer: confluent-kafka alone, nothing of ours.

pip install 'confluent-kafka[avro,schemaregistry]'
python read_events.py localhost:9092 http://localhost:8081 transcript.ready
"""

from __future__ import annotations

import json
import sys

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

QUIET_S = 5


def main(bootstrap_servers: str, registry_url: str, topic: str, group: str = "example") -> None:
    """Print one event a line until nothing has come for five seconds."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    with SchemaRegistryClient({"url": registry_url}) as registry:
        deserialize = AvroDeserializer(registry)
        consumer.subscribe([topic])
        quiet = 0
        while quiet < QUIET_S:
            message = consumer.poll(1.0)
            if message is None:
                quiet += 1
                continue
            if message.error() is not None:
                raise SystemExit(str(message.error()))
            quiet = 0
            event = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
            print(json.dumps(event, default=str, sort_keys=True))
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
