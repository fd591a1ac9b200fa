from __future__ import annotations

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from razgovor.chaos.hands import in_hands

JOB = "6f1c"
START = layout.start_key(JOB, 1, 1)
RELEASED = layout.start_released_key(JOB, 1, 1)
ALIVE = layout.start_alive_key(JOB, 1, 1, 1)
AGAIN = layout.start_key(JOB, 1, 2)
TRANSCRIPT = layout.transcript_key(JOB, 1, "0" * 64)


@pytest.mark.parametrize(
    ("keys", "held"),
    [
        ((layout.audio_key(JOB),), False),
        ((START,), True),
        ((START, ALIVE), True),
        ((START, RELEASED), False),
        ((START, RELEASED, AGAIN), True),
        ((START, AGAIN), True),
        ((START, TRANSCRIPT), False),
        ((START, AGAIN, TRANSCRIPT), False),
        ((layout.start_key(JOB, 2, 1),), False),
    ],
)
def test_a_call_is_in_hands_from_its_start_until_it_is_heard_or_let_go_of(keys: tuple[str, ...], held: bool) -> None:  # noqa: FBT001
    store = MemoryStore()
    for key in keys:
        store.put(key, b"", media_type="text/plain")
    assert in_hands(store, [JOB]) == [JOB] * held


def test_only_calls_asked_for_are_named() -> None:
    store = MemoryStore()
    for job_id in ("a", "b", "c"):
        store.put(layout.start_key(job_id, 1, 1), b"", media_type="text/plain")
    assert in_hands(store, ["c", "a"]) == ["c", "a"]
