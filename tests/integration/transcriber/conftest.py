from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from pipeline.audio import DecodeLimits
from razgovor.cache import cache_folder
from razgovor.local_transcriber import LocalTranscriber, local_transcriber, settings
from services.transcriber.__main__ import started_children
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.batching import Nobody
from services.transcriber.domain.preparation import Rules
from services.transcriber.ports import Engine, FrontEnd
from services.transcriber.settings import TranscriberSettings
from services.transcriber.testing.tiny_whisper import build, build_listening
from tests.integration.transcriber.engines import WhisperChild, whisper_child


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return ModelFiles(build(tmp_path_factory.mktemp("tiny-whisper")), "tiny", "1" * 64)


@pytest.fixture(scope="session")
def listening_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """It says other words to other sounds."""
    return ModelFiles(build_listening(tmp_path_factory.mktemp("listening-whisper")), "listening", "2" * 64)


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


@pytest.fixture(scope="session")
def shipped_settings() -> TranscriberSettings:
    """Every setting as it ships; without `make model` what uses them fails, it is never passed over."""
    return settings(model_cache_dir=cache_folder(os.environ))


@pytest.fixture(scope="session")
def shipped(shipped_settings: TranscriberSettings) -> Iterator[tuple[FrontEnd, Engine]]:
    """Whisper base and its front end as the service starts them, once for all tests of truth."""
    with started_children(shipped_settings, lambda _call: None, Nobody()) as children:
        yield children


@pytest.fixture(scope="session")
def transcriber(shipped_settings: TranscriberSettings, shipped: tuple[FrontEnd, Engine]) -> Iterator[LocalTranscriber]:
    """The transcriber's handler over them, several calls at once."""
    with local_transcriber(shipped_settings, children=lambda *_: nullcontext(shipped)) as transcriber:
        yield transcriber
