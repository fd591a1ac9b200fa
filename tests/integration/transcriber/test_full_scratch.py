"""Fault 9 of docs/chaos.md at the decoder's child: a full scratch folder is waited for, and no call is blamed for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.audio import DecodeLimits
from pipeline.errors import Transient
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.recording import Recording
from tests.integration.disks import small_disk
from tests.integration.transcriber.recordings import SAMPLES, sha256


def test_a_child_with_a_full_scratch_folder_waits_and_goes_on_when_it_is_freed(tmp_path: Path) -> None:
    limits = FrontEndLimits(decode=DecodeLimits(max_duration_s=600, max_channels=4), timeout_s=60, memory_bytes=1024**3)
    recording = SAMPLES / "bank.wav"
    with small_disk(tmp_path / "scratch", size_bytes=16 * 2**20) as disk:
        front_end = ChildFrontEnd(scratch_dir=disk.folder, rules=Rules(), limits=limits)
        try:
            disk.fill()
            for _ in range(2):
                with (
                    pytest.raises(Transient),
                    front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))),
                ):
                    pytest.fail("there is no room")
            disk.free()
            with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
                assert call.windows
            assert list(disk.folder.iterdir()) == []
        finally:
            front_end.close()
