"""One idempotency key, many posts at once: one job."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Final

from razgovor.chaos.clients import ACCEPTED, Answer, Poster, request_of
from razgovor.chaos.fault import Fault
from razgovor.chaos.stage import Stage

POSTS: Final = 500
_TRIES: Final = 20
_TIMEOUT_S: Final = 60.0
_AGAIN_FROM: Final = 500


class OneKey(Fault):
    """500 posts side by side with one idempotency key make one job."""

    number: ClassVar[int] = 25
    name: ClassVar[str] = f"{POSTS} posts at once with one idempotency key"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        order = next(stage.system.orders(1))
        path, headers = request_of(order, stage.system.keys[order.client])

        def post(number: int) -> Answer:
            poster = Poster(stage.system.addresses, random.Random(number), _TIMEOUT_S)  # noqa: S311  spreads load
            answer = Answer(0, {})
            for _ in range(_TRIES):
                answer = poster.ask("POST", path, order.data, headers)
                if 0 < answer.status < _AGAIN_FROM:
                    break
            poster.close()
            return answer

        with ThreadPoolExecutor(POSTS) as pool:
            answers = list(pool.map(post, range(POSTS)))
        refused = sorted({answer.status for answer in answers if answer.status != ACCEPTED})
        jobs = {answer.body["job_id"] for answer in answers if answer.status == ACCEPTED}
        stage.notes.expect(not refused, f"some were answered with {refused}")
        stage.notes.expect(len(jobs) == 1, f"{len(jobs)} jobs were made")
        again = stage.ground.record.calls_accepted_twice()
        stage.notes.expect(not again, f"{again} calls became more than one job")
        # The clients' own post is the 501st: it gets the same job, and is judged with all others.
        promise = stage.system.clients.submit([order])[0].result()
        stage.notes.expect(promise is not None and {promise.job_id} == jobs, "a later post got another job")
