from __future__ import annotations

from pathlib import Path

from razgovor.transcription.summary import FILE_NAME, Row, Summary, done_before


def summary(*rows: Row) -> Summary:
    return Summary(model="base", model_sha256="0" * 64, rows=rows)


def test_what_is_done_is_remembered_while_its_results_are_there(tmp_path: Path) -> None:
    done = Row(file="a.wav", key="k", state="completed", artefacts={"txt": "a.txt"})
    failed = Row(file="b.wav", key="k", state="failed", reason="no_audio")
    (tmp_path / "a.txt").write_text("text")
    summary(done, failed).write(tmp_path)
    assert done_before(tmp_path) == {"a.wav": done}
    (tmp_path / "a.txt").unlink()
    assert done_before(tmp_path) == {}


def test_no_summary_or_a_strange_one_means_nothing_is_done(tmp_path: Path) -> None:
    assert done_before(tmp_path) == {}
    (tmp_path / FILE_NAME).write_text('{"schema": "other/9"}')
    assert done_before(tmp_path) == {}
