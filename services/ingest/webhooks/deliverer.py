"""Sends webhooks: collects what ended, claims what is due, tries it, keeps what came of it. A thread of ingest's process.

A process that dies in the middle leaves a claim that runs out, and the delivery is sent again with the same id. A receiver
that is slow or dead holds up nobody else: a client has few deliveries under way at a time.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pipeline.errors import RazgovorError
from pipeline.outbound import Bounds, Outbound, Unreachable, UrlNotAllowed
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ingest.webhooks import signing
from services.ingest.webhooks.deliveries import Claimed, Deliveries
from services.ingest.webhooks.verdicts import PENDING, Answered, judge, retry_after_s

#: Deliveries under way at once, and of one client.
AT_ONCE: Final = 8
OF_A_CLIENT: Final = 2
COLLECTED: Final = 500
_BOUNDS: Final = Bounds(max_bytes=65_536, total_s=15.0)
_PRUNE_EVERY_STEPS: Final = 3600
#: How long the end waits for what is under way; what takes longer is sent again by the next process.
_FAREWELL_S: Final = 4.0
_AGAIN: Final = "again"


class Deliverer:
    """Sends webhooks.

    Args:
        deliveries: Where they are kept.
        outbound: Sends requests to where they are allowed.
        now: The time of an attempt.
        share: A random number from 0 to 1.
        metrics: What is counted with.
        poll_s: How long it rests when there is nothing to do.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        outbound: Outbound,
        now: Callable[[], datetime],
        share: Callable[[], float],
        metrics: Metrics,
        *,
        poll_s: float = 1.0,
    ) -> None:
        self._deliveries = deliveries
        self._outbound = outbound
        self._now = now
        self._share = share
        self._metrics = metrics
        self._poll_s = poll_s
        self._under_way: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._log = logs.get(__name__)

    def wake(self) -> None:
        """Say that there is something new, or that it is time to stop. From any thread."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop, then wait a little for what is under way."""
        steps = 0
        while not stop.is_set():
            self._wake.clear()
            found = self._step(prune=steps % _PRUNE_EVERY_STEPS == 0)
            steps += 1
            if not found:
                self._wake.wait(self._poll_s)
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way.total(), _FAREWELL_S)

    def _step(self, *, prune: bool) -> bool:
        """Whether there was anything to do."""
        try:
            if prune:
                self._deliveries.prune()
            collected = self._deliveries.collect(COLLECTED)
            claimed = self._claim()
        except RazgovorError as error:
            self._log.warning("webhooks_wait", error=str(error))
            return False
        for one in claimed:
            # A daemon: a receiver that says nothing must not hold up the end of the process.
            threading.Thread(target=self._send, args=(one,), name="webhook", daemon=True).start()
        return bool(claimed) or collected == COLLECTED

    def _claim(self) -> list[Claimed]:
        with self._changed:
            room = AT_ONCE - self._under_way.total()
            busy = [client_id for client_id, count in self._under_way.items() if count >= OF_A_CLIENT]
        claimed = self._deliveries.claim(room, OF_A_CLIENT, busy) if room > 0 else []
        with self._changed:
            self._under_way.update(one.delivery.client_id for one in claimed)
        return claimed

    def _send(self, claimed: Claimed) -> None:
        try:
            self.deliver(claimed)
        except RazgovorError as error:  # the claim runs out, and it is sent again
            self._log.warning("webhook_not_kept", webhook_id=claimed.delivery.webhook_id, error=str(error))
        finally:
            with self._changed:
                self._under_way -= Counter([claimed.delivery.client_id])
                self._changed.notify_all()
            self._wake.set()

    def deliver(self, claimed: Claimed) -> None:
        """Try a delivery once.

        Raises:
            Transient: What came of it is not kept.
        """
        answered = self._answer(claimed)
        verdict = judge(answered, claimed.attempt, claimed.left_s, self._share())
        self._deliveries.mark(claimed, answered, verdict)
        outcome = _AGAIN if verdict.status == PENDING else verdict.status
        self._metrics.add(families.WEBHOOKS, outcome=outcome)
        self._log.info(
            "webhook",
            webhook_id=claimed.delivery.webhook_id,
            outcome=outcome,
            attempt=claimed.attempt,
            status_code=answered.status_code,
            fault=answered.fault,
        )

    def _answer(self, claimed: Claimed) -> Answered:
        if claimed.url is None:
            return Answered(fault="no_address", blocked=True)
        if not claimed.secrets:
            return Answered(fault="no_secret")
        now, body = self._now(), claimed.delivery.body()
        headers = signing.headers(claimed.delivery.webhook_id, int(now.timestamp()), body, claimed.secrets)
        headers["Content-Type"] = "application/json"
        try:
            with self._outbound.send("POST", claimed.url, _BOUNDS, headers=headers, body=body) as answer:
                asked_s = retry_after_s(answer.headers.get("retry-after"), now)
                return Answered(status_code=answer.status, retry_after_s=asked_s)
        except UrlNotAllowed as error:
            return Answered(fault=f"not_allowed:{error.fault}", blocked=True)
        except Unreachable as error:
            return Answered(fault=error.fault)
