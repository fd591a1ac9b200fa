"""What `__main__` makes of the settings: which engine hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import Fatal
from services.transcriber.__main__ import chosen_model, fitting, onnx_options, recognizers
from services.transcriber.domain.hearing import Capacity
from services.transcriber.models import testing
from services.transcriber.models.formats import format_of
from services.transcriber.settings import TranscriberSettings


def settings(model: Path, **chosen: object) -> TranscriberSettings:
    values = {"bootstrap_servers": "127.0.0.1:1", "store_url": "file:///nonexistent", "model_cache_dir": model.parent}
    return TranscriberSettings.model_validate({**values, "model": str(model), **chosen})


def vosk(folder: Path) -> Path:
    for name in ("am/encoder.int8.onnx", "am/decoder.int8.onnx", "am/joiner.int8.onnx", "lang/tokens.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.mark.parametrize("engine", [None, "onnx-asr"])
def test_the_model_says_which_engine_hears(tmp_path: Path, engine: str | None) -> None:
    [recognizer] = recognizers(settings(vosk(tmp_path / "own"), engine=engine))

    assert recognizer.facts.engine.startswith("onnx-asr ")
    assert recognizer.facts.parameters["kind"] == "vosk"
    assert recognizer.facts.parameters["quantization"] == "int8"
    assert recognizer.pid is None


def test_whisper_is_heard_by_whisper(tmp_path: Path) -> None:
    [recognizer] = recognizers(settings(testing.fill(tmp_path / "own"), engine="whisper"))

    assert recognizer.facts.engine.startswith("faster-whisper ")


@pytest.mark.parametrize("engine", ["whisper", "onnx-asr"])
def test_a_model_of_another_engine_is_refused(tmp_path: Path, engine: str) -> None:
    model = vosk(tmp_path / "own") if engine == "whisper" else testing.fill(tmp_path / "own")

    with pytest.raises(Fatal, match=f"made for the engine .* TRANSCRIBER_ENGINE is {engine}"):
        chosen_model(settings(model, engine=engine))


def test_the_second_engine_runs_as_the_settings_say(tmp_path: Path) -> None:
    chosen = settings(
        tmp_path,
        device="cuda",
        workers=3,
        threads=4,
        batch_size=16,
        batches_ahead=1,
        express_workers=2,
        devices="0,1",
        engine="onnx-asr",
    )
    options = onnx_options(chosen, format_of("gigaam-v3-ctc", "int8"), 1)

    assert (options.kind, options.quantization, options.device, options.device_index) == (
        "gigaam-v3-ctc",
        "int8",
        "cuda",
        1,
    )
    assert (options.workers, options.threads, options.batch_size) == (3, 4, 16)
    assert (options.ahead, options.express) == (1, 2)


@pytest.mark.parametrize(("longest_s", "window_s"), [([30.0], 28.0), ([30.0, 25.0], 25.0)])
def test_no_window_is_longer_than_every_device_takes(tmp_path: Path, longest_s: list[float], window_s: float) -> None:
    capacities = [Capacity(window_s=each) for each in longest_s]

    assert fitting(settings(tmp_path, window_s=28), capacities).window_s == window_s
