from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openpyxl import Workbook

from pipeline.contracts.call_info import CallInfo
from services.ingest.adapters.memory_reports import MemoryReports
from services.ingest.jobs import Outcome, StoredObject
from services.ingest.report_questions import ReportQuestion, TooManyCalls
from services.ingest.reports import write_report
from tests.integration.ingest import repositories
from tests.unit.ingest.rig import Rig
from tests.unit.pipeline.formats import calls, workbooks

JANUARY = {"from": "2026-01-01", "to": "2026-01-31"}
QUESTION = ReportQuestion(
    client_id="acme",
    since=datetime(2026, 1, 1, tzinfo=UTC),
    before=datetime(2026, 2, 1, tzinfo=UTC),
    locale="en",
)


def keep(rig: Rig, name: str, *, state: str = "completed", said: bool = True, **info: Any) -> str:
    """A job of acme at its end, with a transcript in the store if anything was said."""
    call = CallInfo(file_name=name, **info)
    submission = repositories.submission(call_info=call)
    rig.submissions.submit(submission, None)
    transcript, key = calls.conversation().to_bytes(), f"jobs/{submission.job_id}/1/x/transcript.json"
    if said:
        rig.store.put(key, transcript, media_type="application/json")
    found = StoredObject(key=key, sha256="00", size_bytes=1) if state == "completed" else None
    rig.submissions.outcomes[submission.job_id] = Outcome(
        run=1,
        state=state,
        reason="no_audio" if state == "failed" else None,
        duration_ms=5000,
        words=7,
        transcript=found,
    )
    return submission.job_id


def fetched(rig: Rig, headers: dict[str, str] | None = None, /, **query: str) -> Workbook:
    answer = rig.http().get("/v1/reports/calls.xlsx", params={**JANUARY, **query}, headers=headers)
    assert answer.status_code == 200, answer.text
    workbooks.assert_sound(answer.content)
    return workbooks.read(answer.content)


def column(workbook: Workbook, heading: str) -> list[Any]:
    return [cell.value for cell in workbooks.column(workbook, workbook.sheetnames[0], heading)]


def test_a_row_a_call_newest_first_and_what_was_said_on_the_second_sheet() -> None:
    rig = Rig()
    keep(rig, "a.wav", operator="Анна")
    keep(rig, "b.wav", state="failed", said=False)
    workbook = fetched(rig, lang="en")
    assert column(workbook, "Recording") == ["b.wav", "a.wav"]
    assert column(workbook, "Operator") == [None, "Анна"]
    assert str(column(workbook, "State")[0]).startswith("Failed: ")
    assert {row[0] for row in workbook["Dialogues"].iter_rows(min_row=2, values_only=True)} == {"a.wav"}
    assert [bool(cell.hyperlink) for cell in workbooks.column(workbook, "Calls", "Dialogue")] == [False, True]


def test_what_the_store_does_not_hold_any_more_has_the_records_figures() -> None:
    rig = Rig()
    keep(rig, "a.wav", said=False)
    workbook = fetched(rig, lang="en")
    assert (column(workbook, "Duration"), column(workbook, "Words")) == ([timedelta(seconds=5)], [7])
    assert workbook["Dialogues"].max_row == 1


def test_without_dialogues_no_transcript_is_read() -> None:
    rig = Rig()
    keep(rig, "a.wav")
    workbook = fetched(rig, dialogues="false", lang="en")
    assert column(workbook, "Words") == [7]


def test_parts_of_a_transferred_call_say_so_and_else_there_is_no_such_column() -> None:
    rig = Rig()
    keep(rig, "a.wav")
    assert "Chain" not in [cell.value for cell in fetched(rig, lang="en")["Calls"][1]]
    keep(rig, "b.wav", metadata={"chain_id": "77"})
    assert column(fetched(rig, lang="en"), "Chain") == ["77", None]


def test_parts_of_a_transferred_call_stand_together_as_they_followed_each_other() -> None:
    rig = Rig()
    ten = datetime(2026, 1, 1, 10, tzinfo=UTC)
    keep(rig, "older.wav")
    keep(rig, "sales.wav", started_at=ten + timedelta(minutes=5), metadata={"chain_id": "77"})
    keep(rig, "between.wav", metadata={"chain_id": ""})
    keep(rig, "also between.wav", metadata={"chain_id": ""})
    keep(rig, "reception.wav", started_at=ten, metadata={"chain_id": "77"})
    keep(rig, "newest.wav", metadata={"chain_id": "78"})
    together = ["newest.wav", "reception.wav", "sales.wav", "also between.wav", "between.wav", "older.wav"]
    workbook = fetched(rig, lang="en")
    assert column(workbook, "Recording") == together
    assert column(workbook, "Chain") == ["78", "77", "77", None, None, None]
    said = [row[0] for row in workbook["Dialogues"].iter_rows(min_row=2, values_only=True)]
    assert list(dict.fromkeys(said)) == together


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+7 900", '=HYPERLINK("http://x")', "-1", "\t=1"])
def test_nothing_that_a_client_says_becomes_a_formula(text: str) -> None:
    rig = Rig()
    keep(rig, text, operator=text, queue=text, customer_number=text, metadata={"chain_id": text})
    workbook = fetched(rig, lang="en")
    cells = [cell for sheet in workbook for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert column(workbook, "Chain") == [text]


@pytest.mark.parametrize(
    ("accepted", "lang", "sheet"),
    [
        (None, None, "Звонки"),
        ("en-GB,en;q=0.9", None, "Calls"),
        ("en;q=0.1, ru-RU;q=0.9", None, "Звонки"),
        ("de, en;q=0.4", None, "Calls"),
        ("de", None, "Звонки"),
        ("en;q=0", None, "Звонки"),
        ("en", "ru", "Звонки"),
    ],
)
def test_headings_are_in_the_readers_language(accepted: str | None, lang: str | None, sheet: str) -> None:
    rig = Rig()
    headers = {} if accepted is None else {"Accept-Language": accepted}
    assert fetched(rig, headers, **({} if lang is None else {"lang": lang})).sheetnames[0] == sheet


def test_a_period_holds_its_last_day_and_times_are_exact() -> None:
    rig = Rig()
    keep(rig, "a.wav")
    assert len(column(fetched(rig, to="2026-01-01"), "Запись")) == 1
    assert len(column(fetched(rig, to="2026-01-01T00:00:00Z"), "Запись")) == 0
    assert len(column(fetched(rig, None, **{"from": "2026-01-01T03:00:00+03:00"}), "Запись")) == 1


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("from", "yesterday"),
        ("from", "0.5"),
        ("from", "2026-01-01T00:00:00"),
        ("to", "86400"),
        ("to", "2026-13-01"),
        ("to", "0001-01-01"),
        ("lang", "de"),
    ],
)
def test_a_period_that_is_none_is_refused(field: str, text: str) -> None:
    answer = Rig().http().get("/v1/reports/calls.xlsx", params={**JANUARY, field: text})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_field", field)


def test_another_clients_calls_are_not_in_it() -> None:
    rig = Rig()
    rig.submissions.submit(repositories.submission("other"), None)
    assert column(fetched(rig), "Запись") == []


def test_while_a_report_is_made_another_one_is_asked_to_come_again() -> None:
    rig = Rig()
    reports = MemoryReports(rig.submissions, rig.store)
    reports.busy = True
    rig.options["reports"] = reports
    answer = rig.http().get("/v1/reports/calls.xlsx", params=JANUARY)
    assert (answer.status_code, answer.json()["code"]) == (429, "report_under_way")
    assert int(answer.headers["Retry-After"]) > 0


def test_more_calls_than_a_report_may_have_are_refused() -> None:
    rig = Rig()
    keep(rig, "a.wav")
    keep(rig, "b.wav")
    with pytest.raises(TooManyCalls):
        write_report(rig.submissions, rig.store, QUESTION, io.BytesIO(), max_calls=1)
    assert write_report(rig.submissions, rig.store, QUESTION, io.BytesIO(), max_calls=2) == 2
