from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from razgovor.__main__ import app


@pytest.mark.parametrize(
    "options",
    [
        ["--codec", "alaw"],
        ["--codec", "alaw", "--sample-rate-hz", "8000"],
        ["--channel-count", "2"],
        ["--codec", "opus", "--sample-rate-hz", "8000", "--channel-count", "2"],
        ["--codec", "alaw", "--sample-rate-hz", "0", "--channel-count", "2"],
    ],
)
def test_half_a_declaration_of_samples_is_refused(tmp_path: Path, options: list[str]) -> None:
    result = CliRunner().invoke(app, ["transcribe", str(tmp_path), "--out", str(tmp_path / "out"), *options])
    assert result.exit_code == 2
    assert not (tmp_path / "out").exists()
