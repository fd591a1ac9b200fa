"""An upstream system: puts recordings into a bucket of its own and says so on `call.recorded`. See docs/events.md."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

from pipeline.blobs.ports import BlobStore
from pipeline.contracts.events import CallRecorded, SourceObject
from pipeline.stream.ports import Producer
from pipeline.stream.wire import encode
from razgovor.chaos.book import Order

#: Beside the services' own, which is nobody's source.
UPSTREAM_BUCKET: Final = "razgovor-chaos-upstream"


def source_of(client: str) -> str:
    """Where the recordings of a client lie, as `Client.sources` has it."""
    return f"s3://{UPSTREAM_BUCKET}/{client}/"


class Upstream:
    """From any thread.

    Args:
        store: The bucket, by a way that no fault befalls: it is the upstream system's, not ours.
        producer: Publishes, likewise.
    """

    def __init__(self, store: BlobStore, producer: Producer) -> None:
        self._store = store
        self._producer = producer

    def submit(self, order: Order) -> str:
        """Put the recording and publish its event, of the same id for the same order; the id of the job that it asks for.

        Raises:
            Transient: Nobody knows whether the event arrived.
        """
        key = f"{order.client}/{order.number}.wav"
        self._store.put(key, order.data, media_type="audio/wav")
        audio = SourceObject(
            bucket=UPSTREAM_BUCKET,
            key=key,
            sha256=hashlib.sha256(order.data).hexdigest(),
            size_bytes=len(order.data),
        )
        said: dict[str, object] = {
            "event_id": f"event-{order.number}",
            "client_id": order.client,
            "call_id": order.call_id,
            "recorded_at": datetime.now(UTC),
            "audio": audio,
            "channel_roles": ("operator",),
            "formats": ("txt",),
            "priority": order.priority,
        }
        event = CallRecorded.model_validate(said)
        self._producer.publish([encode(event)])
        return event.job_id

    def close(self) -> None:
        """Let go of the broker."""
        self._producer.close()
