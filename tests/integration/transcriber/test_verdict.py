"""What is said of real calls' channels, recorded well and badly, before a word is heard. No model of speech is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts.transcript import Warning_
from services.transcriber.adapters.front_end import ChildFrontEnd
from services.transcriber.domain import roles
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.verdict import warnings
from tests.integration.transcriber.recordings import RATE_HZ, SAMPLES, noise, sha256, write_wav

Sound = NDArray[np.float64]
Pair = tuple[Sound, Sound]

AS_WIRED = ("operator", "customer")
SECONDS = 40


@pytest.fixture(scope="module")
def call(front_end: ChildFrontEnd) -> Pair:
    """The beginning of a call, each side by itself."""
    recording = SAMPLES / "clinic.wav"
    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as prepared:
        files = sorted({window.pcm for window in prepared.windows})
        operator, customer = (np.fromfile(file, dtype=np.float32)[: SECONDS * RATE_HZ * 2 : 2] for file in files)
    return operator.astype(np.float64), customer.astype(np.float64)


def verdict(recording: Path, front_end: ChildFrontEnd, channel_roles: tuple[str, ...] = AS_WIRED) -> list[str]:
    """Mode, and each warning with its channel."""
    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as prepared:
        mode = roles.channel_mode(len(prepared.channels), identical=prepared.identical_channels)
        by_channel = roles.roles_of(mode, len(prepared.channels), channel_roles)
        return [mode, *map(_short, warnings(prepared, mode, by_channel))]


def _short(warning: Warning_) -> str:
    channel = warning.details.get("channel")
    return warning.code if channel is None else f"{warning.code} {channel:g}"


def as_it_is(operator: Sound, customer: Sound) -> Pair:
    return operator, customer


def one_side_not_recorded(operator: Sound, customer: Sound) -> Pair:
    return operator, customer * 0


def one_side_only_a_line(operator: Sound, _customer: Sound) -> Pair:
    return operator, noise(SECONDS)[: operator.size] * 0.01


def too_quiet(operator: Sound, customer: Sound) -> Pair:
    return operator, customer * 10 ** (-22 / 20)


def too_loud(operator: Sound, customer: Sound) -> Pair:
    return operator, np.clip(customer * 10 ** (35 / 20), -1, 1)


def echo(operator: Sound, customer: Sound) -> Pair:
    delay = round(0.11 * RATE_HZ)
    return operator, customer + np.concatenate([np.zeros(delay), operator[:-delay]]) * 10 ** (-24 / 20)


def mono_in_two_gains(operator: Sound, customer: Sound) -> Pair:
    return operator + customer, (operator + customer) * 0.4


@pytest.mark.parametrize(
    ("wired", "told"),
    [
        (as_it_is, ["stereo"]),
        (one_side_not_recorded, ["stereo", "silent_channel 1"]),
        (one_side_only_a_line, ["stereo", "silent_channel 1"]),
        (too_quiet, ["stereo", "too_quiet 1"]),
        (too_loud, ["stereo", "clipped 1"]),
        (echo, ["stereo", "crosstalk 1"]),
        (mono_in_two_gains, ["dual_mono", "dual_mono"]),
    ],
)
def test_the_verdict_names_what_is_wrong_and_where(
    wired: Callable[[Sound, Sound], Pair], told: list[str], call: Pair, front_end: ChildFrontEnd, tmp_path: Path
) -> None:
    assert verdict(write_wav(tmp_path / "call.wav", *wired(*call)), front_end) == told


def test_channels_swapped_by_rule_are_told(call: Pair, front_end: ChildFrontEnd, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "call.wav", *call[::-1])

    assert verdict(recording, front_end, ("customer", "operator")) == ["stereo", "swapped_channels"]


def test_less_than_declared_is_told(call: Pair, front_end: ChildFrontEnd, tmp_path: Path) -> None:
    whole = write_wav(tmp_path / "call.wav", *call)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    assert verdict(cut, front_end) == ["stereo", "truncated_audio"]
