"""The shipped catalogue: what users may name, and that it says nothing that nobody can know."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.transcriber.models.catalogue import (
    Catalogue,
    FolderSource,
    HubSource,
    PackagesSource,
    shipped_catalogue,
)


def test_the_shipped_catalogue_has_the_models_that_users_know() -> None:
    models = shipped_catalogue().models
    whisper = {name for name, entry in models.items() if entry.format.engine == "whisper"}
    assert whisper == {"tiny", "base", "small", "medium", "large-v3", "large-v3-turbo"}
    assert {"gigaam-v3-ctc", "gigaam-v3-rnnt-int8", "t-one", "vosk-ru", "fastconformer-ru-ctc"} <= set(models)


def test_aliases_lead_to_models() -> None:
    catalogue = shipped_catalogue()
    assert catalogue.canonical("turbo") == "large-v3-turbo"
    assert catalogue.canonical("base") == "base"
    assert set(catalogue.aliases.values()) <= set(catalogue.models)


def test_every_model_can_be_filled_by_hand_first() -> None:
    for name, entry in shipped_catalogue().models.items():
        first = entry.sources[0]
        assert isinstance(first, FolderSource)
        assert first.path.as_posix() == f"models/{name}"


def test_every_model_is_on_the_hub_and_free_to_use() -> None:
    for entry in shipped_catalogue().models.values():
        assert any(isinstance(source, HubSource) for source in entry.sources)
        assert entry.licence in {"MIT", "Apache-2.0", "CC-BY-4.0"}


def test_models_of_the_second_engine_know_russian_alone() -> None:
    for entry in shipped_catalogue().models.values():
        assert entry.languages == (() if entry.format.engine == "whisper" else ("ru",))


def test_quantized_models_lie_in_files_of_their_own() -> None:
    models = shipped_catalogue().models
    assert models["gigaam-v3-ctc"].format.weights == ("v3_ctc.onnx",)
    assert models["gigaam-v3-ctc-int8"].format.weights == ("v3_ctc.int8.onnx",)
    assert models["gigaam-v3-ctc"].approximate_bytes == 4 * models["gigaam-v3-ctc-int8"].approximate_bytes


def test_a_format_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="no format"):
        Catalogue.model_validate(
            {
                "models": {
                    "x": {
                        "format": "wav2letter",
                        "parameters_millions": 1,
                        "licence": "MIT",
                        "sources": [{"kind": "hub", "repository": "a/b"}],
                    }
                }
            }
        )


def test_base_is_pinned_byte_by_byte_and_its_packages_come_before_the_hub() -> None:
    base = shipped_catalogue().models["base"]
    assert [source.kind for source in base.sources] == ["folder", "packages", "hub"]
    packages = base.sources[1]
    assert isinstance(packages, PackagesSource)
    weights = packages.files[0]
    assert (weights.name, weights.size_bytes) == ("model.bin", 145_217_607)
    assert weights.sha256 == "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
    assert base.known_bytes == packages.size_bytes == 150_218_479


def test_parts_come_from_packages_that_the_source_names() -> None:
    for entry in shipped_catalogue().models.values():
        for source in entry.sources:
            if isinstance(source, PackagesSource):
                named = {package.name for package in source.packages}
                assert {part.package for file in source.files for part in file.parts} == named


def test_models_with_128_bands_require_the_file_that_says_so() -> None:
    models = shipped_catalogue().models
    assert {name for name, entry in models.items() if entry.requires} == {"large-v3", "large-v3-turbo"}


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "ftp", "path": "x"},
        {"kind": "hub", "repository": "no-owner"},
        {"kind": "hub", "repository": "a/b", "address": "elsewhere"},
        {"kind": "packages", "packages": [], "files": []},
    ],
)
def test_a_catalogue_that_nobody_would_understand_is_refused(source: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Catalogue.model_validate({"models": {"x": {"parameters_millions": 1, "licence": "MIT", "sources": [source]}}})
