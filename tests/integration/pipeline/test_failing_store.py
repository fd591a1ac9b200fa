"""A consumer over a real S3 behind a proxy that breaks requests: who is at fault, and who pays for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from pipeline.blobs.ports import BlobStore
from pipeline.contracts.events import JobStatus, TranscriptReady
from pipeline.outcome import Outcome, PutObject
from pipeline.stream import wire
from pipeline.stream.events import EventProcessor
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.safeguards import Safeguards
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.chaos.proxies import HttpProxy
from razgovor.chaos.proxies.faults import Error, HalfBody, Hang, HttpFault, HttpRule, Reset
from razgovor.peers.addresses import S3Peer
from tests.buckets import temporary_bucket

pytestmark = pytest.mark.peers

JOBS = [f"job-{number}" for number in range(30)]


class Consumer:
    """An exporter-like service of one process over S3 and a broker in memory."""

    def __init__(self, store: BlobStore) -> None:
        self.store = store
        self.broker = MemoryBroker()
        producer = self.broker.producer()
        guards = Safeguards.of(store, producer, group="exporter", clock=lambda: samples.ACCEPTED_AT)
        self._processor = EventProcessor(
            self._decide,
            expects=TranscriptReady,
            stage="exporter",
            store=store,
            producer=producer,
            guards=guards,
            clock=lambda: samples.ACCEPTED_AT,
        )

    def _decide(self, event: TranscriptReady, _received_at: datetime) -> Outcome[PutObject]:
        data = self.store.read(event.transcript.key)
        return Outcome(
            (PutObject(f"jobs/{event.job_id}/made", data, "text/plain"),),
            (samples.job_status(event.job_id),),
        )

    def announce(self) -> None:
        self.broker.producer().publish([wire.encode(samples.transcript_ready(job_id)) for job_id in JOBS])

    def states(self) -> dict[str, str]:
        found = [wire.decode(message) for message in self.broker.messages("job.status")]
        return {event.job_id: event.state for event in found if isinstance(event, JobStatus)}

    def put_aside(self) -> int:
        return len(self.broker.messages("transcript.ready.dlq"))

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        limits = Limits(max_in_flight=4, first_backoff_s=0.05, drain_timeout_s=2.0)
        runner = Runner(
            self.broker.consumer("exporter"), [TranscriptReady.TOPIC], self._processor, limits, lambda: None
        )
        thread = threading.Thread(target=runner.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)


@pytest.fixture
def proxy(s3_peer: S3Peer) -> Iterator[HttpProxy]:
    with HttpProxy(s3_peer.endpoint.removeprefix("http://"), seed=4) as running:
        yield running


@pytest.fixture
def consumer(s3_peer: S3Peer, proxy: HttpProxy) -> Iterator[Consumer]:
    """With every job's transcript in a bucket of its own."""
    with temporary_bucket(s3_peer) as bucket:
        for job_id in JOBS:
            key = samples.transcript_ready(job_id).transcript.key
            bucket.store.put(key, b"{}", media_type="application/json")
        yield Consumer(bucket.at(proxy.address, read_timeout_s=1.0))


def test_one_key_that_always_answers_500_fails_its_job_and_blocks_no_other(
    consumer: Consumer, proxy: HttpProxy
) -> None:
    proxy.set(HttpRule(fault=Error(status=500), target="/jobs/job-7/"))
    consumer.announce()
    with consumer.running():
        eventually(lambda: len(consumer.states()) == len(JOBS), deadline_s=60)
    assert consumer.states() == {**dict.fromkeys(JOBS, "completed"), "job-7": "failed"}
    assert consumer.put_aside() == 1
    assert proxy.befallen["error"] >= 3


@pytest.mark.parametrize(
    "fault",
    [Error(status=500), Error(status=503, code="SlowDown"), Reset(), Reset(after_effect=True), HalfBody(), Hang()],
    ids=["500", "503", "reset", "reset_after", "half_body", "timeout"],
)
def test_a_store_that_fails_for_all_is_waited_for_without_an_attempt(
    consumer: Consumer, proxy: HttpProxy, fault: HttpFault
) -> None:
    proxy.set(HttpRule(fault=fault))
    consumer.announce()
    with consumer.running():
        eventually(lambda: proxy.befallen[fault.kind] >= 30, deadline_s=60)
        assert consumer.states() == {}
        proxy.set()
        eventually(lambda: len(consumer.states()) == len(JOBS), deadline_s=60)
    assert set(consumer.states().values()) == {"completed"}
    assert consumer.put_aside() == 0


@pytest.mark.parametrize("share", [0.3, 0.7], ids=["30%", "70%"])
def test_a_store_that_fails_now_and_then_fails_no_job(consumer: Consumer, proxy: HttpProxy, share: float) -> None:
    proxy.set(HttpRule(fault=Error(status=500), share=share))
    consumer.announce()
    with consumer.running():
        eventually(lambda: len(consumer.states()) >= len(JOBS) // 3 or proxy.befallen["error"] > 600, deadline_s=90)
        proxy.set()
        eventually(lambda: len(consumer.states()) == len(JOBS), deadline_s=60)
    assert set(consumer.states().values()) == {"completed"}
    assert consumer.put_aside() == 0
