"""Events as records: key, headers, value. The one place that knows how an event stands on the wire.

Whoever writes takes Confluent framing where a schema registry is configured, else single-object encoding. Whoever reads
takes both, and every version: the header `razgovor.schema` decides which schema wrote a value, and only without it what
stands before the body. So a registry that was built anew, with other ids, makes nobody misread anything, and a registry
that is away holds up only who meets a schema for the first time.
"""

from __future__ import annotations

from pipeline.contracts import codec, tracing
from pipeline.contracts.codec import SCHEMA_HEADER, UNKNOWN_SCHEMA, Codec, Schema
from pipeline.contracts.events import Event
from pipeline.errors import Permanent, Unavailable
from pipeline.stream import framing
from pipeline.stream.framing import Framed
from pipeline.stream.ports import Message, Record
from pipeline.stream.schema_registry import SchemaRegistry, subject_of


class Wire:
    """Encodes and decodes, from any thread.

    Args:
        registry: Where schemas have ids; None: single-object encoding, and the schemas of this release alone.
        release: What this release writes and knows.
    """

    def __init__(self, registry: SchemaRegistry | None = None, release: Codec | None = None) -> None:
        self._registry = registry
        self._release = release or codec.released()
        self._ids: dict[tuple[str, bytes], int] = {}
        self._by_id: dict[int, Schema] = {}
        self._by_fingerprint: dict[bytes, Schema] = {}

    def verify(self) -> None:
        """Look up every schema that this release writes, so that no event waits for the registry later.

        Raises:
            Unavailable: The registry does not answer, or does not have them yet: `razgovor topics apply` registers them.
            Fatal: It refuses us.
        """
        if self._registry is None:
            return
        for event_class in self._release.classes:
            self._id(self._registry, event_class.TOPIC, self._release.written(event_class))

    def encode(self, event: Event, topic: str | None = None) -> Record:
        """The record of an event: keyed by its job, so that all events of a job keep their order; see `Event.key`.

        Args:
            event: What to write.
            topic: Where to, if not the event's own topic.

        Raises:
            Unavailable: The registry does not answer, and we do not know the schema's id yet.
            Fatal: It refuses us.
        """
        schema = self._release.written(type(event))
        body = self._release.write(event)
        if self._registry is None:
            value = framing.single_object(schema.fingerprint, body)
        else:
            value = framing.confluent(self._id(self._registry, topic or event.TOPIC, schema), body)
        return Record(
            topic=topic or event.TOPIC,
            key=event.key.encode(),
            value=value,
            headers=(
                (SCHEMA_HEADER, schema.header),
                (tracing.TRACEPARENT_HEADER, tracing.traceparent(event.job_id, event.event_id).encode()),
            ),
        )

    def decode(self, message: Message) -> Event:
        """The event of a record.

        Raises:
            Permanent: `undecodable`, or `unknown_schema`: nobody we can ask knows what wrote it.
            Unavailable: The registry does not answer, and what wrote it is not known here.
            Fatal: The registry refuses us.
        """
        framed = framing.split(message.value)
        header = message.header(SCHEMA_HEADER)
        if header is not None:
            schema = self._by_mark(codec.named_fingerprint(header), framed, message.topic)
        elif framed.fingerprint is not None:
            schema = self._by_mark(framed.fingerprint, framed, message.topic)
        else:
            schema = self._of_id(framed.schema_id)
        if schema is None:
            raise Permanent(UNKNOWN_SCHEMA)
        return self._release.read(framed.body, schema)

    def _id(self, registry: SchemaRegistry, topic: str, schema: Schema) -> int:
        key = (topic, schema.fingerprint)
        known = self._ids.get(key)
        if known is None:  # two threads may both look it up: no harm
            known = registry.id_of(subject_of(topic), schema.text)
            if known is None:
                raise Unavailable(
                    f"the schema registry does not have {schema.event}/{schema.version}: run `razgovor topics apply`"
                )
            self._ids[key] = known
        return known

    def _by_mark(self, mark: bytes, framed: Framed, topic: str) -> Schema | None:
        """The schema with a fingerprint: ours, or one that a newer release has registered."""
        known = self._release.known(mark) or self._by_fingerprint.get(mark)
        if known is not None or self._registry is None:
            return known
        # The id is only a hint where to look: in a registry built anew it is another schema's.
        found = self._hinted(framed.schema_id, mark) or self._under(self._registry, subject_of(topic), mark)
        if found is not None:
            self._by_fingerprint[mark] = found
        return found

    def _hinted(self, schema_id: int | None, mark: bytes) -> Schema | None:
        try:
            schema = self._of_id(schema_id)
        except Permanent:
            return None
        return schema if schema is not None and schema.fingerprint == mark else None

    def _of_id(self, schema_id: int | None) -> Schema | None:
        if schema_id is None or self._registry is None:
            return None
        known = self._by_id.get(schema_id)
        if known is None and (text := self._registry.text_of(schema_id)) is not None:
            known = self._by_id[schema_id] = self._release.foreign(text)
        return known

    def _under(self, registry: SchemaRegistry, subject: str, mark: bytes) -> Schema | None:
        for text in registry.texts_of(subject):
            try:
                schema = self._release.foreign(text)
            except Permanent:  # not an event of ours: somebody else's schema under this subject
                continue
            if schema.fingerprint == mark:
                return schema
        return None


_plain = Wire()
encode = _plain.encode
decode = _plain.decode
