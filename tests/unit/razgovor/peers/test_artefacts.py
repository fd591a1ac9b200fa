from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.artefacts import made, verify


def test_what_is_made_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    wanted = tmp_path / "cache" / "thing"

    def breaks(folder: Path) -> None:
        (folder / "half").touch()
        raise EmbeddedFailed("no network")

    with pytest.raises(EmbeddedFailed):
        made(wanted, breaks)
    assert not wanted.exists()
    assert made(wanted, lambda folder: (folder / "all").touch()) == wanted
    assert [path.name for path in wanted.iterdir()] == ["all"]
    assert made(wanted, breaks) == wanted


def test_a_jar_that_is_not_ours_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "good.jar").write_bytes(b"good")
    (tmp_path / "bad.jar").write_bytes(b"evil")
    digest = hashlib.sha256(b"good").hexdigest()
    with pytest.raises(EmbeddedFailed, match=r"bad\.jar, missing\.jar$"):
        verify(tmp_path, f"{digest}  good.jar\n{digest}  bad.jar\n{digest}  missing.jar\n")
    (tmp_path / "bad.jar").unlink()
    verify(tmp_path, f"{digest}  good.jar\n")
