from __future__ import annotations

from pipeline.contracts.events import Timings
from pipeline.contracts.transcript import Channel, Provenance, Transcript, Turn
from razgovor.demo import samples
from razgovor.demo.samples import Sample, TrueTurn
from razgovor.demo.verdict import judge
from razgovor.transcription.summary import Row


def sample(file: str, kind: str, state: str = "completed", *texts: str, reason: str | None = None) -> Sample:
    turns = tuple(TrueTurn(channel=number, role=None, text=words) for number, words in enumerate(texts))
    return Sample.model_validate({"file": file, "kind": kind, "state": state, "reason": reason, "turns": turns})


def transcript(*texts: str) -> Transcript:
    return Transcript(
        job_id="job-1",
        run=1,
        call_id="call-1",
        client="acme",
        language="ru",
        channel_mode="stereo",
        duration_s=10.0,
        partial=False,
        warnings=(),
        channels=tuple(Channel(index=number, role=None, speech_s=1.0) for number in range(len(texts))),
        turns=tuple(
            Turn(channel=number, role=None, start_s=0.0, end_s=1.0, text=words, confidence=1.0, words=())
            for number, words in enumerate(texts)
        ),
        suppressed=(),
        timings=Timings(),
        provenance=Provenance(audio_sha256="0", engine="e", model="m", model_sha256="0", parameters={}),
    )


def row(file: str, state: str = "completed", reason: str | None = None, words: int = 0) -> Row:
    return Row(file=file, key="k", state=state, reason=reason, words=words)


CALL = sample("bank.wav", "call", "completed", "Добрый день, банк", "Хочу закрыть вклад")


def test_a_call_that_is_right_is_right_whatever_case_and_punctuation() -> None:
    judged = judge([CALL], [row("bank.wav")], {"bank.wav": transcript("добрый день банк", "хочу закрыть вклад.")})
    assert judged.wer == {"bank.wav": 0.0}
    assert judged.right_side == (6, 6)
    assert judged.scored_calls == 1
    assert judged.faults == ()


def test_words_on_the_wrong_speaker_are_counted_and_cost_words() -> None:
    judged = judge([CALL], [row("bank.wav")], {"bank.wav": transcript("хочу закрыть вклад", "добрый день банк")})
    assert judged.right_side == (0, 6)
    assert judged.faults == ("WER of the calls is 100.0%, over 15%",)


def test_a_job_that_ends_otherwise_is_a_fault() -> None:
    broken = sample("broken.wav", "broken", "failed", reason="invalid_header")
    assert judge([broken], [row("broken.wav", "failed", "invalid_header")], {}).faults == ()
    assert judge([broken], [row("broken.wav", "failed", "no_audio")], {}).faults
    assert judge([broken], [row("broken.wav")], {}).faults
    assert judge([broken], [], {}).faults == ("broken.wav: no result",)


def test_words_where_nobody_speaks_are_a_fault() -> None:
    silence = sample("silence.wav", "nonspeech")
    assert judge([silence], [row("silence.wav")], {}).faults == ()
    assert judge([silence], [row("silence.wav", words=2)], {}).faults == ("silence.wav: 2 words where nobody speaks",)


def test_every_shipped_sample_is_there_with_its_truth() -> None:
    shipped = samples.load()
    assert all((samples.folder() / one.file).is_file() for one in shipped)
    calls = [one for one in shipped if one.kind == "call"]
    assert len({one.file.rpartition(".")[2] for one in calls}) >= 4
    assert len(calls) >= 6
    assert all(one.channels == (0, 1) for one in calls)
    assert {one.kind for one in shipped} == {"call", "people", "nonspeech", "broken"}
