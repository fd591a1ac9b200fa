"""The shipped fake of `letters.DeadLetterBox`, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from services.ledger.letters import Letter, Selection


class MemoryDeadLetterBox:
    """See `letters.DeadLetterBox`. `letters` is there for tests to fill and to look at."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.letters: dict[int, Letter] = {}
        self._clock = clock

    def find(self, selection: Selection, limit: int) -> list[Letter]:
        """See `DeadLetterBox.find`."""
        firsts = {_original(letter): letter for _, letter in sorted(self.letters.items(), reverse=True)}
        meant = [letter for letter in firsts.values() if _is_meant(letter, selection)]
        return sorted(meant, key=lambda letter: letter.letter_id)[:limit]

    def count(self, selection: Selection) -> int:
        """See `DeadLetterBox.count`."""
        return len(self.find(selection, len(self.letters)))

    def mark_replayed(self, letter_id: int, replayed_as: str) -> None:
        """See `DeadLetterBox.mark_replayed`."""
        marked = replace(self.letters[letter_id], replayed_at=self._clock(), replayed_as=replayed_as)
        self.letters[letter_id] = marked

    def mark_dropped(self, letter_ids: Sequence[int]) -> int:
        """See `DeadLetterBox.mark_dropped`."""
        meant = [found for found in map(self.letters.get, letter_ids) if found is not None and found.is_open]
        for letter in meant:
            self.letters[letter.letter_id] = replace(letter, dropped_at=self._clock())
        return len(meant)


def _original(letter: Letter) -> object:
    """What is the same for letters of one record that one group put aside; of one that does not say, itself."""
    home = (letter.origin_topic, letter.origin_partition, letter.origin_offset, letter.group)
    return letter.letter_id if None in home else (*home, letter.value)


def _is_meant(letter: Letter, selection: Selection) -> bool:
    said = (
        (selection.reason, letter.reason == selection.reason),
        (selection.topic, selection.topic in {letter.topic, letter.origin_topic}),
        (selection.group, letter.group == selection.group),
        (selection.job_id, letter.key == (selection.job_id or "").encode()),
        (selection.letter_ids, letter.letter_id in (selection.letter_ids or ())),
        (selection.since, selection.since is None or letter.recorded_at >= selection.since),
    )
    return all(holds for wanted, holds in said if wanted is not None) and (selection.also_done or letter.is_open)
