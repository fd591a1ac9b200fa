from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.audio import DecodeLimits
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.domain.preparation import Rules
from services.transcriber.testing.tiny_whisper import build
from tests.integration.transcriber.engines import WhisperChild, whisper_child


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return ModelFiles(build(tmp_path_factory.mktemp("tiny-whisper")), "tiny", "1" * 64)


@pytest.fixture(scope="session")
def tiny_child(tiny_model: ModelFiles) -> Iterator[WhisperChild]:
    with closing(whisper_child(tiny_model, WhisperOptions(compute_type="float32"), {"window_s": 28.0})) as child:
        yield child


@pytest.fixture(scope="session")
def front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildFrontEnd]:
    limits = FrontEndLimits(decode=DecodeLimits(max_duration_s=600, max_channels=4), timeout_s=60, memory_bytes=1024**3)
    front_end = ChildFrontEnd(scratch_dir=scratch(tmp_path_factory), rules=Rules(), limits=limits)
    yield front_end
    front_end.close()


def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")
