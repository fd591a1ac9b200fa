"""Which settings are chosen: the fastest of those that cost no words. Pure; what measures is handed in. Used by `tune`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pipeline.errors import RazgovorError
from razgovor.evaluation.alignment import WordErrors
from razgovor.tuning.plan import Question, Settings
from razgovor.tuning.storing import Stored

#: In word error rate, against the settings that were there at first: what is worse by more costs words.
MAX_LOSS: Final = 0.003
#: A setting that is faster by less is not worth a change: two runs of the same differ by as much.
MIN_GAIN: Final = 0.03


class Verdict(StrEnum):
    """What became of an answer."""

    CHOSEN = "chosen"
    KEPT = "kept"
    SLOWER = "not faster"
    COSTS_WORDS = "costs words"
    INVENTS = "words in silence"
    FAILED = "does not work here"
    NO_TIME = "no time left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A run over the sample calls.

    Attributes:
        call_s_per_s: Seconds of calls per second.
        words: Errors.
        silence_words: Words where nobody speaks.
        stored: What a second of these calls leaves in the store.
    """

    call_s_per_s: float
    words: WordErrors
    silence_words: int = 0
    stored: Stored = field(default_factory=Stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An answer to a question.

    Attributes:
        measured: None where it failed or no time was left.
        why: Of a failure.
    """

    question: str
    answer: Settings
    verdict: Verdict
    measured: Measured | None = None
    why: str = ""


@dataclass(slots=True)
class Search:
    """One search over settings.

    Args:
        begin: What is there now.
        measure: Runs the sample calls with these settings.
        has_time: Whether another run may begin.
    """

    begin: Settings
    measure: Callable[[Settings], Measured]
    has_time: Callable[[], bool]
    chosen: dict[str, str | int | float] = field(init=False)
    best: Measured = field(init=False)
    first: Measured = field(init=False)

    def __post_init__(self) -> None:
        self.chosen = dict(self.begin)

    def run(self, questions: Iterable[Question]) -> Iterator[Tried]:
        """Ask one question after the other; the answers to each when all of them are known.

        Raises:
            RazgovorError: Not even what is there now works.
        """
        self.first = self.best = self.measure(self.chosen)
        yield Tried(question="as it is", answer=dict(self.chosen), verdict=Verdict.KEPT, measured=self.best)
        for question in questions:
            tried = [self._try(question.what, answer) for answer in question.answers if not self._is_there(answer)]
            fastest = max(
                (one for one in tried if one.measured is not None and one.verdict is Verdict.CHOSEN),
                key=lambda one: one.measured.call_s_per_s if one.measured else 0.0,
                default=None,
            )
            for one in tried:
                is_loser = one.verdict is Verdict.CHOSEN and one is not fastest
                yield _as(one, Verdict.SLOWER) if is_loser else one
            if fastest is not None and fastest.measured is not None:
                self.chosen |= fastest.answer
                self.best = fastest.measured
        if self.chosen != dict(self.begin):
            yield self._once_more()

    def _once_more(self) -> Tried:
        """What was there at first, measured again: the machine may have become faster, not the settings."""
        again = self.measure(self.begin)
        is_better = again.call_s_per_s * (1 + MIN_GAIN) > self.best.call_s_per_s
        if is_better:
            self.chosen, self.best = dict(self.begin), again
        verdict = Verdict.CHOSEN if is_better else Verdict.SLOWER
        return Tried(question="as it was, again", answer=dict(self.begin), verdict=verdict, measured=again)

    def _is_there(self, answer: Settings) -> bool:
        return all(self.chosen.get(name) == value for name, value in answer.items())

    def _try(self, question: str, answer: Settings) -> Tried:
        if not self.has_time():
            return Tried(question=question, answer=answer, verdict=Verdict.NO_TIME)
        try:
            measured = self.measure({**self.chosen, **answer})
        except RazgovorError as error:
            return Tried(question=question, answer=answer, verdict=Verdict.FAILED, why=str(error))
        return Tried(question=question, answer=answer, verdict=self._judge(measured), measured=measured)

    def _judge(self, measured: Measured) -> Verdict:
        if measured.silence_words > self.first.silence_words:
            return Verdict.INVENTS
        if measured.words.rate > self.first.words.rate + MAX_LOSS:
            return Verdict.COSTS_WORDS
        gained = measured.call_s_per_s / self.best.call_s_per_s - 1
        return Verdict.CHOSEN if gained >= MIN_GAIN else Verdict.SLOWER


def _as(tried: Tried, verdict: Verdict) -> Tried:
    return Tried(question=tried.question, answer=tried.answer, verdict=verdict, measured=tried.measured, why=tried.why)
