from __future__ import annotations

import hashlib

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.events import CallRecorded
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.wire import decode
from razgovor.chaos.book import Book, Order
from razgovor.chaos.clients import Clients
from razgovor.chaos.upstream import Upstream, source_of
from services.ingest.sources import covers, reference

ORDER = Order(number=7, client="acme", data=b"RIFF", by_event=True)


def published(broker: MemoryBroker) -> list[CallRecorded]:
    events = [decode(message) for message in broker.messages(CallRecorded.TOPIC)]
    return [event for event in events if isinstance(event, CallRecorded)]


def clients(broker: MemoryBroker, book: Book, *, give_up_s: float = 60.0) -> Clients:
    upstream = Upstream(MemoryStore(), broker.producer())
    return Clients([], {}, book, upstream=upstream, posters=1, give_up_s=give_up_s)


def test_an_event_names_a_recording_that_lies_where_its_client_may_name_it() -> None:
    broker, store = MemoryBroker(), MemoryStore()
    upstream = Upstream(store, broker.producer())

    assert upstream.submit(ORDER) == upstream.submit(ORDER)
    first, again = published(broker)

    assert (first.event_id, first.job_id, first.call_id) == (again.event_id, again.job_id, ORDER.call_id)
    assert (first.audio.sha256, first.audio.size_bytes) == (hashlib.sha256(ORDER.data).hexdigest(), len(ORDER.data))
    assert store.objects[first.audio.key] == ORDER.data
    source = reference(first.audio.bucket, first.audio.key)
    assert source is not None
    assert covers([source_of("acme")], source)
    assert not covers([source_of("bravo")], source)


def test_what_the_broker_has_is_promised() -> None:
    broker, book = MemoryBroker(), Book()
    sender = clients(broker, book)
    (answer,) = sender.submit([ORDER])

    promise = answer.result()
    sender.close()

    assert promise is not None
    assert [one.job_id for one in book.since()] == [promise.job_id] == [event.job_id for event in published(broker)]
    assert book.refused_since() == []


def test_what_the_broker_never_takes_is_refused() -> None:
    broker, book = MemoryBroker(), Book()
    broker.down = True
    sender = clients(broker, book, give_up_s=-1.0)
    (answer,) = sender.submit([ORDER])

    assert answer.result() is None
    sender.close()
    assert [(one.order, one.why) for one in book.refused_since()] == [(ORDER, "memory broker is down")]
