from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.events import Artefact
from pipeline.testing import samples
from services.ledger import storable
from services.ledger.effects import KeepResult, MergeRun, RecordEvent
from services.ledger.handler import Arrival, handle


def test_an_ordinary_event_is_passed_on_as_it_is() -> None:
    event = samples.job_status()
    assert storable.event(event) is event


def test_no_text_of_an_event_keeps_a_nul() -> None:
    completion = samples.completion().model_copy(update={"warnings": ("mono\0", "x"), "model": "ba\0se"})
    event = samples.job_status(call_id="c\0", reason="\0", details={"k\0": "v\0"}, completion=completion)
    cleaned = storable.event(event)
    assert "\\u0000" not in cleaned.model_dump_json()
    assert cleaned.call_id == "c\ufffd"
    assert cleaned.details == {"k\ufffd": "v\ufffd"}
    assert cleaned.completion is not None
    assert cleaned.completion.warnings == ("mono\ufffd", "x")
    assert cleaned.completion.transcript == completion.transcript


def test_ids_are_clean_and_short_in_every_effect() -> None:
    completion = samples.completion().model_copy(
        update={"artefacts": (Artefact(format="f" * 5000, key="k", sha256="s", size_bytes=1),)}
    )
    event = samples.job_status(job_id="j\0" * 3000, event_id="e" * 9000, client_id="ж" * 4000, completion=completion)
    arrival = Arrival(event.TOPIC, 0, 0, samples.ACCEPTED_AT)
    record, merge, result, _ = handle(arrival, event, bill_reprocess=True).effects
    assert isinstance(record, RecordEvent)
    assert isinstance(merge, MergeRun)
    assert isinstance(result, KeepResult)
    assert record.job_id == merge.job_id == result.job_id
    for text in (record.event_id, record.job_id, merge.client_id, result.artefacts[0].format):
        assert len(text) == storable.KEY_CHARACTERS
        assert "\0" not in text


@given(st.text(max_size=300), st.text(max_size=300))
def test_different_ids_stay_different(one: str, other: str) -> None:
    stored = {storable.key(text) for text in (one, other)}
    assert len(stored) == len({storable.text(text) for text in (one, other)})
    assert all(len(text) <= storable.KEY_CHARACTERS for text in stored)


def test_long_ids_that_begin_alike_stay_different() -> None:
    assert storable.key("a" * 300 + "1") != storable.key("a" * 300 + "2")


def test_a_number_in_a_header_is_a_number_or_nothing() -> None:
    assert storable.bigint_in(b"9223372036854775807") == 2**63 - 1
    for broken in (None, b"", b"-1", b"9223372036854775808", b"1e3", b"9" * 5000, b" 7", b"\xd9\xa3"):
        assert storable.bigint_in(broken) is None
