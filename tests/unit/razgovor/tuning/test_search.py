from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Fatal
from razgovor.evaluation.alignment import WordErrors
from razgovor.tuning.plan import SHORT_AXES, Question, Settings, questions
from razgovor.tuning.search import MAX_LOSS, Measured, Search, Tried, Verdict
from services.transcriber.domain.hearing import TimeAxis

BEGIN: Settings = {"batch_size": 4, "beam_size": 5}
BATCH = Question("batch", ({"batch_size": 4}, {"batch_size": 8}, {"batch_size": 16}))
BEAM = Question("beam", ({"beam_size": 5}, {"beam_size": 1}))


def measured(speed: float, wrong: int = 10, silence_words: int = 0) -> Measured:
    return Measured(call_s_per_s=speed, words=WordErrors(right=100 - wrong, wrong=wrong), silence_words=silence_words)


class Machine:
    """Answers from a table; settings that are not in it do not work."""

    def __init__(self, answers: Mapping[tuple[int, int], Measured]) -> None:
        self._answers = answers
        self.runs = 0

    def __call__(self, chosen: Settings) -> Measured:
        self.runs += 1
        found = self._answers.get((int(chosen["batch_size"]), int(chosen["beam_size"])))
        if found is None:
            raise Fatal("not enough memory")
        return found


def run(answers: Mapping[tuple[int, int], Measured], runs: int = 99) -> tuple[Search, list[Tried]]:
    machine = Machine(answers)
    search = Search(BEGIN, machine, lambda: machine.runs < runs)
    return search, list(search.run([BATCH, BEAM]))


def verdicts(tried: list[Tried]) -> list[Verdict]:
    return [one.verdict for one in tried]


def test_the_fastest_answer_is_chosen_and_the_next_question_stands_on_it() -> None:
    search, tried = run({(4, 5): measured(10), (8, 5): measured(12), (16, 5): measured(14), (16, 1): measured(20)})

    assert verdicts(tried) == [Verdict.KEPT, Verdict.SLOWER, Verdict.CHOSEN, Verdict.CHOSEN, Verdict.SLOWER]
    assert tried[-1].question == "as it was, again"
    assert search.chosen == {"batch_size": 16, "beam_size": 1}
    assert search.best.call_s_per_s == 20


def test_what_costs_words_is_not_chosen_however_fast_it_is() -> None:
    search, tried = run(
        {(4, 5): measured(10), (8, 5): measured(12), (16, 5): measured(13), (16, 1): measured(30, wrong=11)}
    )

    assert verdicts(tried)[-2] is Verdict.COSTS_WORDS
    assert search.chosen["beam_size"] == 5


def test_what_invents_words_is_not_chosen() -> None:
    search, tried = run(
        {(4, 5): measured(10), (8, 5): measured(12, silence_words=1), (16, 5): measured(9), (4, 1): measured(10)}
    )

    assert verdicts(tried) == [Verdict.KEPT, Verdict.INVENTS, Verdict.SLOWER, Verdict.SLOWER]
    assert search.chosen == BEGIN


def test_a_gain_that_may_be_noise_changes_nothing() -> None:
    search, _ = run({(4, 5): measured(10), (8, 5): measured(10.2), (16, 5): measured(10.1), (4, 1): measured(10)})

    assert search.chosen == BEGIN


def test_what_does_not_work_here_is_told_and_passed_over() -> None:
    search, tried = run({(4, 5): measured(10), (8, 5): measured(12), (8, 1): measured(11)})

    assert verdicts(tried) == [Verdict.KEPT, Verdict.CHOSEN, Verdict.FAILED, Verdict.SLOWER, Verdict.SLOWER]
    assert tried[2].why == "not enough memory"
    assert search.chosen["batch_size"] == 8


def test_when_time_is_over_nothing_more_is_tried() -> None:
    search, tried = run({(4, 5): measured(10), (8, 5): measured(12)}, runs=2)

    assert verdicts(tried)[:4] == [Verdict.KEPT, Verdict.CHOSEN, Verdict.NO_TIME, Verdict.NO_TIME]
    assert search.chosen["batch_size"] == 8


def test_a_machine_that_became_faster_meanwhile_is_no_merit_of_the_settings() -> None:
    speeds = iter([10.0, 12.0, 12.0, 12.0, 12.5])
    search = Search(BEGIN, lambda _chosen: measured(next(speeds)), lambda: True)

    tried = list(search.run([BATCH, BEAM]))

    assert verdicts(tried)[-1] is Verdict.CHOSEN
    assert search.chosen == BEGIN
    assert search.best.call_s_per_s == 12.5


def test_when_not_even_what_is_there_works_there_is_nothing_to_tune() -> None:
    with pytest.raises(Fatal):
        run({})


RESULTS = st.builds(measured, st.floats(1, 100), st.integers(0, 30), st.integers(0, 2))


@settings(deadline=None)
@given(st.fixed_dictionaries({(batch, beam): RESULTS for batch in (4, 8, 16) for beam in (5, 1)}))
def test_whatever_is_measured_the_choice_is_no_slower_and_costs_no_words(
    answers: dict[tuple[int, int], Measured],
) -> None:
    search, _ = run(answers)

    first, best = answers[4, 5], search.best
    assert best == answers[int(search.chosen["batch_size"]), int(search.chosen["beam_size"])]
    assert best.call_s_per_s >= first.call_s_per_s
    assert best.words.rate <= first.words.rate + MAX_LOSS
    assert best.silence_words <= first.silence_words


@pytest.mark.parametrize(
    ("device", "cores", "shares"),
    [
        ("cpu", 1, [(1, 1)]),
        ("cpu", 2, [(2, 1), (1, 2)]),
        ("cpu", 8, [(8, 1), (4, 2), (2, 4), (1, 8)]),
        ("cpu", 6, [(6, 1), (3, 2)]),
    ],
)
def test_cores_are_divided_between_workers_and_threads(device: str, cores: int, shares: list[tuple[int, int]]) -> None:
    first = next(iter(questions(device, cores)))

    assert [(answer["workers"], answer["threads"]) for answer in first.answers] == shares


def test_a_gpu_is_asked_for_large_batches_and_half_precision() -> None:
    asked = {
        name: {answer.get(name) for answer in one.answers} for one in questions("cuda", 8) for name in one.answers[0]
    }

    assert asked["batch_size"] == {16, 32, 64}
    assert asked["batches_ahead"] == {0, 1}
    assert asked["compute_type"] == {"float16", "int8_float16"}
    assert "threads" not in asked


def test_short_axes_stay_within_what_a_gpu_is_quick_with() -> None:
    axis = TimeAxis(
        step_s=float(SHORT_AXES["axis_step_s"]), pause_s=1.0, least_s=float(SHORT_AXES["axis_least_s"]), whole_s=30.0
    )

    axes_s = {axis.seconds(tenths / 10) for tenths in range(1, 195)}

    assert float(SHORT_AXES["window_s"]) == 19.4
    assert axes_s == {10.24, 12.8, 15.36, 17.92, 20.48}


def test_short_axes_are_tried_on_a_gpu_alone() -> None:
    assert any(SHORT_AXES in question.answers for question in questions("cuda", 8))
    assert not any(SHORT_AXES in question.answers for question in questions("cpu", 8))
