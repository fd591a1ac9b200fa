"""Devices that fail, as a recognizer's child and its parent see them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import NoReturn

import pytest

from pipeline.errors import Fatal
from services.transcriber.adapters.engine import ChildRecognizer, EngineLimits, Load
from services.transcriber.adapters.whisper import device_errors
from services.transcriber.batching import BatchingEngine, BatchingRules
from services.transcriber.domain.hearing import Batch, Hearing, Passage
from services.transcriber.fakes import FakeRecognizer, window
from services.transcriber.ports import DeviceFailed, OutOfDeviceMemory, Recognizer, RecognizerCrashed

ONE = Batch(passages=(Passage.whole(window(0, (0.0, 2.0))),), language="ru")


def child(load: Load) -> ChildRecognizer:
    return ChildRecognizer(load, FakeRecognizer.facts, slots=1, limits=EngineLimits(start_timeout_s=60.0))


def failing(*errors: Exception | None) -> Callable[[], Recognizer]:
    return partial(FakeRecognizer, errors=errors)


def dying() -> NoReturn:
    os._exit(7)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CUDA failed with error out of memory", OutOfDeviceMemory),
        ("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED", OutOfDeviceMemory),
        ("CUDA failed with error unspecified launch failure", DeviceFailed),
        ("cuDNN failed with status CUDNN_STATUS_EXECUTION_FAILED", DeviceFailed),
        ("Library libcublas.so.12 is not found or cannot be loaded", DeviceFailed),
        ("invalid axis", RuntimeError),
    ],
)
def test_what_the_devices_libraries_say_becomes_ours_and_nothing_else(text: str, kind: type[Exception]) -> None:
    with pytest.raises(kind), device_errors():
        raise RuntimeError(text)


def test_memory_that_does_not_suffice_is_told_and_the_child_lives_on() -> None:
    with closing(child(failing(OutOfDeviceMemory("too much")))) as recognizer:
        recognizer.start()
        first = recognizer.pid
        with pytest.raises(OutOfDeviceMemory):
            recognizer.hear(ONE)
        assert recognizer.hear(ONE)[0].words
        assert recognizer.pid == first


def test_after_a_failure_of_the_device_a_fresh_child_tries_it() -> None:
    with closing(child(failing(None, DeviceFailed("lost")))) as recognizer:
        recognizer.hear(ONE)
        first = recognizer.pid
        with pytest.raises(DeviceFailed):
            recognizer.hear(ONE)
        assert recognizer.hear(ONE)[0].words
        assert recognizer.pid != first


def test_what_nobody_foresaw_is_this_batchs_alone() -> None:
    with closing(child(failing(KeyError("secret")))) as recognizer, pytest.raises(RecognizerCrashed) as crash:
        recognizer.hear(ONE)
    assert not crash.value.takes_all
    assert "secret" not in str(crash.value)


def test_a_child_that_does_not_start_again_is_the_devices_fault_and_no_calls() -> None:
    with closing(child(dying)) as recognizer, pytest.raises(DeviceFailed, match="does not start"):
        recognizer.hear(ONE)


def test_a_device_that_fails_again_and_again_in_fresh_children_ends_the_worker() -> None:
    with closing(child(failing(*[DeviceFailed("lost")] * 9))) as recognizer:
        engine = BatchingEngine([recognizer], BatchingRules())
        with closing(engine), pytest.raises(Fatal, match="sick"):
            engine.transcribe([window(0, (0.0, 2.0))], Hearing(language="ru"))
