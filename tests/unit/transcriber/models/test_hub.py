"""The hub's files, from a cache in the layout that huggingface_hub documents: blobs named by hash, snapshots by commit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.transcriber.models import hub, testing
from services.transcriber.models.catalogue import HubSource
from services.transcriber.models.errors import ModelDamaged, SourceFailed
from services.transcriber.models.formats import WHISPER
from services.transcriber.models.hub import fetch_hub
from services.transcriber.models.progress import silent

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def lay_out(cache: Path, *, weights: bytes = testing.FILES["model.bin"]) -> Path:
    """A cache as the hub's client leaves it: the weights' blob is named by the sha256 that the hub announced."""
    repository = cache / "models--Somebody--some-model"
    snapshot = repository / "snapshots" / COMMIT
    blobs = repository / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for name, data in testing.FILES.items():
        blob = blobs / (testing.sha256(data) if name == "model.bin" else testing.sha256(data)[:40])
        blob.write_bytes(weights if name == "model.bin" else data)
        (snapshot / name).symlink_to(blob)
    return snapshot


def fetch(folder: Path, weights: bytes = testing.FILES["model.bin"]) -> tuple[str | None, Path]:
    into = folder / "into"
    into.mkdir()

    def download(_: HubSource, *, cache: Path, **__: object) -> Path:
        return lay_out(cache, weights=weights)

    return fetch_hub(testing.HUB, WHISPER, work=folder, into=into, download=download, progress=silent), into


def test_files_come_out_of_the_hubs_cache_as_files_not_links(tmp_path: Path) -> None:
    _, into = fetch(tmp_path)
    assert {path.name: path.read_bytes() for path in into.iterdir()} == dict(testing.FILES)
    assert not any(path.is_symlink() for path in into.iterdir())


def test_the_commit_is_kept(tmp_path: Path) -> None:
    revision, _ = fetch(tmp_path)
    assert revision == COMMIT


def test_weights_that_are_not_what_the_hub_announced_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match=r"model\.bin"):
        fetch(tmp_path, weights=b"cut off on the way")


def test_a_link_out_of_the_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (tmp_path / "into").mkdir()

    def download(_: HubSource, *, cache: Path, **__: object) -> Path:
        snapshot = lay_out(cache)
        (snapshot / "config.json").unlink()
        (snapshot / "config.json").symlink_to(tmp_path / "elsewhere")
        return snapshot

    with pytest.raises(ModelDamaged, match=r"config\.json"):
        fetch_hub(testing.HUB, WHISPER, work=tmp_path, into=tmp_path / "into", download=download, progress=silent)


def test_the_client_explains_in_one_line_why_it_failed(tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(hub._CLIENT), "not a repository", "", str(tmp_path), "model.bin"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("HFValidationError")
    assert len(done.stderr.splitlines()) == 1


def test_a_client_that_failed_is_a_source_that_failed(tmp_path: Path) -> None:
    nonsense = testing.HUB.model_copy(update={"repository": "not a repository"})
    with pytest.raises(SourceFailed, match="HFValidationError"):
        hub.hub_download(nonsense, patterns=WHISPER.patterns, cache=tmp_path, progress=silent)
