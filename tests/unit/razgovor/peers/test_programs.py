from __future__ import annotations

from pathlib import Path

import pytest

from razgovor.peers import peer_set, programs
from razgovor.peers.errors import PeerMissing


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no program at all."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RAZGOVOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(programs, "OFTEN_LEFT_OUT", ())
    monkeypatch.setattr(programs, "JAVA_HOMES", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("bare")
def test_all_that_is_missing_is_named_at_once_with_how_to_get_it() -> None:
    with pytest.raises(PeerMissing) as told:
        peer_set.get_all(["kafka", "registry", "s3", "sftp"], lambda _: None)
    for words in ("java >= 17", "openjdk-17", "mvn", "apt-get install maven", "go.dev/dl", "openssh-server"):
        assert words in str(told.value)
    assert str(told.value).count("mvn is not here") == 1


def fake_java(folder: Path, version: str) -> None:
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n", encoding="utf-8")
    java.chmod(0o755)


def test_an_old_java_does_not_do(bare: Path) -> None:
    fake_java(bare, "11.0.2")
    assert programs.find(programs.JAVA) is None


def test_a_new_java_does(bare: Path) -> None:
    fake_java(bare, "21.0.4")
    assert programs.find(programs.JAVA) == bare / "java"


def test_java_home_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = bare / "home" / "bin"
    home.mkdir(parents=True)
    fake_java(home, "17")
    fake_java(bare, "21")
    monkeypatch.setenv("JAVA_HOME", str(home.parent))
    assert programs.find(programs.JAVA) == home / "java"
