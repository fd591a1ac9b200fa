"""Clients that do not give up: several of them, posting to ingest's REST interface side by side at a set rate.

Whatever breaks, an order is sent again with its idempotency key until ingest answers 202, as its documentation says. What
comes by event is published again, the same event, until the broker has it; then it is ingest's to take. The
standard library's HTTP client serves: it costs a third of a richer one, and the machine is shared with what it measures.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from pipeline.errors import Transient
from razgovor.chaos.book import Book, Order, Promise, Refusal
from razgovor.chaos.upstream import Upstream

ACCEPTED: Final = 202
UNAVAILABLE: Final = 503
_ANSWER_TIMEOUT_S: Final = 15.0
#: So that no replica that came back stays without work.
_REQUESTS_PER_CONNECTION: Final = 10
_PUBLISHERS: Final = 4
_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 2.0
#: Answers after which the same request is worth another try.
_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504, 507})


@dataclass(frozen=True, slots=True)
class Answer:
    """What ingest said; status 0: nothing, the connection broke."""

    status: int
    body: Mapping[str, object]
    retry_after_s: float = 0.0


class Poster:
    """One connection at a time to one of several replicas. Used by one thread."""

    def __init__(self, addresses: Sequence[str], draw: random.Random, timeout_s: float = _ANSWER_TIMEOUT_S) -> None:
        self._addresses = addresses
        self._draw = draw
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._asked = 0

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """One request and its answer; after a broken one, and now and then, the next goes to a replica drawn anew."""
        if self._asked % _REQUESTS_PER_CONNECTION == 0:
            self.close()
        self._asked += 1
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._draw.choice(self._addresses), timeout=self._timeout_s)
        try:
            self._connection.request(method, path, body=body, headers=dict(headers))
            response = self._connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(0, {"code": type(error).__name__})
        if response.status >= 500:  # noqa: PLR2004  HTTP's own
            self.close()
        return Answer(response.status, _document(said), float(response.getheader("Retry-After") or 0))

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _document(said: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Clients:
    """Sends orders and writes down what was promised. Also a context manager's worth of threads: `close` ends them.

    Args:
        addresses: `host:port` of the replicas.
        keys: API keys by client.
        book: Where promises go.
        upstream: Takes what comes by event; None: nothing does.
        seed: Draws replicas.
        posters: Requests under way at once, at most.
        give_up_s: An order without an answer is given up after this.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        keys: Mapping[str, str],
        book: Book,
        *,
        upstream: Upstream | None = None,
        seed: int = 0,
        posters: int = 12,
        give_up_s: float = 240.0,
    ) -> None:
        self._addresses = addresses
        self._keys = keys
        self._book = book
        self._upstream = upstream
        self._seed = seed
        self._give_up_s = give_up_s
        self._own = threading.local()
        self._counting = threading.Lock()
        self.answers: Counter[int] = Counter()
        """Answers to uploads by status; 0: none."""
        self.without_retry_after = 0
        """Answers 503 that did not say when to come again."""
        self._pool = ThreadPoolExecutor(posters, thread_name_prefix="poster")
        #: Of its own: while the broker is away, uploads go on.
        self._publishing = ThreadPoolExecutor(_PUBLISHERS, thread_name_prefix="upstream")
        self._over = threading.Event()

    def submit(self, orders: Iterable[Order], rate_per_s: float | None = None) -> list[Future[Promise | None]]:
        """Send orders, at most so many a second (None: as fast as they are taken); returns when the last one is under way."""
        begun_s = time.monotonic()
        under_way: list[Future[Promise | None]] = []
        for index, order in enumerate(orders):
            if rate_per_s is not None:
                pause_s = begun_s + index / rate_per_s - time.monotonic()
                if pause_s > 0 and self._over.wait(pause_s):
                    break
            if order.by_event:
                under_way.append(self._publishing.submit(self._publish, order))
            else:
                under_way.append(self._pool.submit(self._post, order))
        return under_way

    def close(self) -> None:
        """Give up what is under way."""
        self._over.set()
        for pool in (self._pool, self._publishing):
            pool.shutdown(wait=True, cancel_futures=True)

    def _poster(self) -> Poster:
        poster: Poster | None = getattr(self._own, "poster", None)
        if poster is None:
            draw = random.Random(f"{self._seed}/{threading.get_ident()}")  # noqa: S311  spreads load
            poster = self._own.poster = Poster(self._addresses, draw)
        return poster

    def _post(self, order: Order) -> Promise | None:
        deadline_s = time.monotonic() + self._give_up_s
        path, headers = request_of(order, self._keys[order.client])
        pause_s = _PAUSE_S
        while True:
            answer = self._poster().ask("POST", path, order.data, headers)
            self._count(answer)
            if answer.status == ACCEPTED:
                return self._promised(order, str(answer.body["job_id"]))
            if (answer.status and answer.status not in _AGAIN) or time.monotonic() > deadline_s or self._over.is_set():
                self._book.refuse(Refusal(order=order, why=f"{answer.status} {answer.body.get('code', '')}".strip()))
                return None
            self._over.wait(min(_LONGEST_PAUSE_S, max(pause_s, answer.retry_after_s)))
            pause_s *= 2

    def _count(self, answer: Answer) -> None:
        with self._counting:
            self.answers[answer.status] += 1
            self.without_retry_after += answer.status == UNAVAILABLE and answer.retry_after_s <= 0

    def _publish(self, order: Order) -> Promise | None:
        if self._upstream is None:
            raise ValueError("nothing comes by event here")
        deadline_s = time.monotonic() + self._give_up_s
        while True:
            try:
                return self._promised(order, self._upstream.submit(order))
            except Transient as error:
                if time.monotonic() > deadline_s or self._over.wait(_LONGEST_PAUSE_S):
                    self._book.refuse(Refusal(order=order, why=str(error)))
                    return None

    def _promised(self, order: Order, job_id: str) -> Promise:
        promise = Promise(order=order, job_id=job_id, accepted_at_s=time.time())
        self._book.enter(promise)
        return promise


def request_of(order: Order, key: str) -> tuple[str, dict[str, str]]:
    """Path and headers that submit an order: a raw body, so that the client costs next to nothing."""
    path = f"/v1/jobs?call_id={order.call_id}&formats=txt&channels=operator&priority={order.priority}"
    return path, {
        "Authorization": f"Bearer {key}",
        "Content-Type": "audio/wav",
        "Idempotency-Key": order.call_id,
    }
