from __future__ import annotations

from pathlib import Path

from razgovor.bundle.wheelhouse import LOCKS, lock_of
from razgovor.embedded.owned_process import SOURCE_ROOT
from razgovor.peers.artefacts import sha256_of


def test_the_lock_names_each_wheel_by_its_own_hash(tmp_path: Path) -> None:
    for name in ("b-2.0-py3-none-any.whl", "a_c-1.0-cp311-cp311-linux_x86_64.whl", "pip-26.3-py3-none-any.whl"):
        (tmp_path / name).write_text(name, encoding="ascii")
    first, second = lock_of(tmp_path).splitlines()
    assert first == f"a_c==1.0 --hash=sha256:{sha256_of(tmp_path / 'a_c-1.0-cp311-cp311-linux_x86_64.whl')}"
    assert second.startswith("b==2.0 --hash=sha256:")


def test_the_locks_are_there_and_the_second_engine_is_the_one_that_is_tested() -> None:
    runtime, second = ((SOURCE_ROOT / lock).read_text(encoding="utf-8") for lock in LOCKS)
    tested = (SOURCE_ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")

    assert "faster-whisper==" in runtime
    [pinned] = [line.split()[0] for line in second.splitlines() if "==" in line and not line.startswith("#")]
    assert pinned.startswith("onnx-asr==")
    assert pinned in tested
