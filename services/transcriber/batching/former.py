"""What is heard next: the queue of all calls' passages, and the batches that it gives. Pure: it is told the time.

First by priority. Then fair over calls (start-time fair queueing): a passage's tag is the speech that its call has been
given before it, never less than what the least favoured of the calls in the queue has; so a call that comes late stands
where the others are, and a call of hours holds up nobody. Then by the time that a passage is due, and its length.

What is small beside all that the slots have in hand need not wait for a slot: `take_small`.

Only passages of one key go into a batch: one language and prompt, one kind of attempt, one time axis.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Final, Generic, TypeAlias, TypeVar

from services.transcriber.batching.courses import Attempt, Kind
from services.transcriber.domain.hearing import Hearing

#: Languages, prompts, kinds and axes that go together.
Key: TypeAlias = tuple[str | None, str, Kind, float]
OwnerT = TypeVar("OwnerT")

PRIORITIES: Final = ("interactive", "normal", "bulk")


@dataclass(frozen=True, slots=True, eq=False)
class Waiting(Generic[OwnerT]):
    """A passage in the queue.

    Attributes:
        owner: Whoever waits for it; opaque.
        attempt: What is to be heard.
        hearing: How.
        axis_s: How much time the model looks at for it.
        call: Whose it is.
        call_s: All speech of its call.
        tag: Its place among its priority's.
        due_s: When it is not to wait for more passages any longer.
    """

    owner: OwnerT
    attempt: Attempt
    hearing: Hearing
    axis_s: float
    call: str
    call_s: float = 0.0
    tag: float = 0.0
    due_s: float = 0.0

    @property
    def key(self) -> Key:
        """What it may be batched with."""
        return self.hearing.language, self.hearing.prompt, self.attempt.kind, self.axis_s

    @property
    def rank(self) -> tuple[int, float, float, float]:
        """Smaller ones go first."""
        return self.urgency, self.tag, self.due_s, -self.attempt.passage.duration_s

    @property
    def urgency(self) -> int:
        """By its call's priority; an unknown one is the last."""
        priority = self.hearing.priority
        return PRIORITIES.index(priority) if priority in PRIORITIES else len(PRIORITIES)


@dataclass(slots=True)
class _Group(Generic[OwnerT]):
    """Passages of one key, by rank."""

    passages: list[Waiting[OwnerT]] = field(default_factory=list)

    @property
    def due_s(self) -> float:
        return min(each.due_s for each in self.passages)


class Former(Generic[OwnerT]):
    """The queue.

    Args:
        linger_s: So long a passage waits for others to fill its batch, while there is other work.
    """

    def __init__(self, linger_s: float) -> None:
        self._linger_s = linger_s
        self._groups: dict[Key, _Group[OwnerT]] = {}
        self._given: dict[str, float] = {}
        self._floor = 0.0

    def __len__(self) -> int:
        return sum(len(group.passages) for group in self._groups.values())

    def tag(self, call: str, duration_s: float) -> float:
        """The tag of a call's next passage."""
        tag = max(self._floor, self._given.get(call, 0.0))
        self._given[call] = tag + duration_s
        return tag

    def due_s(self, now_s: float) -> float:
        """When a passage that comes now is due."""
        return now_s + self._linger_s

    def forget(self, call: str) -> None:
        """The call is done with."""
        self._given.pop(call, None)

    def add(self, passage: Waiting[OwnerT]) -> None:
        """Put a passage into the queue, by its tag and the time it is due."""
        group = self._groups.setdefault(passage.key, _Group())
        insort(group.passages, passage, key=lambda each: each.rank)

    def withdraw(self, wanted: Callable[[Waiting[OwnerT]], bool]) -> None:
        """Take out of the queue what is not wanted any more."""
        for key, group in list(self._groups.items()):
            group.passages = [each for each in group.passages if wanted(each)]
            if not group.passages:
                del self._groups[key]

    def share(self, slots: int, least: int) -> int:
        """How many passages a slot takes of what waits, so that all slots end together when there is no more.

        Args:
            slots: Of all devices.
            least: Smaller batches do not pay.
        """
        return max(least, ceil(len(self) / slots))

    def take(self, now_s: float, *, batch_size: int, is_idle: bool) -> list[Waiting[OwnerT]]:
        """The next batch; empty when there is none to be let go.

        Args:
            now_s: By the same clock as `due_s`.
            batch_size: So many passages at most.
            is_idle: Whether a slot has nothing to do. If not, the batch is for later, and only one that is full or due is
                let go.
        """
        candidates = [
            (not self._is_ready(group, now_s, batch_size), group.passages[0].rank, key)
            for key, group in self._groups.items()
        ]
        if not is_idle:
            candidates = [candidate for candidate in candidates if not candidate[0]]
        if not candidates:
            return []
        _, _, key = min(candidates, key=lambda each: (each[1][0], each[0], each[1][1:]))
        return self._taken(key, self._groups[key].passages[:batch_size])

    def take_small(self, call_s: float, axis_s: float) -> list[Waiting[OwnerT]]:
        """The next passage of a small call, and what of others fits beside it; empty when there is none.

        Nobody whose priority is lower than that of all that waits.

        Args:
            call_s: No call with more speech than this.
            axis_s: The model is to look at no more time than this.
        """
        urgency = min((group.passages[0].urgency for group in self._groups.values()), default=0)
        small = [
            each
            for group in self._groups.values()
            for each in group.passages
            if each.call_s <= call_s and each.urgency == urgency
        ]
        if not small:
            return []
        key = min(small, key=lambda each: each.rank).key
        beside = [each for each in small if each.key == key]
        return self._taken(key, beside[: max(1, int(axis_s / beside[0].axis_s))])

    def ready_s(self, now_s: float, batch_size: int) -> float | None:
        """When, at the latest, there will be a batch to be let go though no slot is idle; None: nothing waits."""
        if not self._groups:
            return None
        return min(
            now_s if len(group.passages) >= batch_size else max(now_s, group.due_s) for group in self._groups.values()
        )

    def _taken(self, key: Key, taken: list[Waiting[OwnerT]]) -> list[Waiting[OwnerT]]:
        group = self._groups[key]
        group.passages = [each for each in group.passages if each not in taken]
        if not group.passages:
            del self._groups[key]
        self._floor = max(self._floor, min(each.tag for each in taken))
        return taken

    def _is_ready(self, group: _Group[OwnerT], now_s: float, batch_size: int) -> bool:
        return len(group.passages) >= batch_size or group.due_s <= now_s
