from __future__ import annotations

from pathlib import Path

from razgovor.bundle.wheelhouse import lock_of
from razgovor.peers.artefacts import sha256_of


def test_the_lock_names_each_wheel_by_its_own_hash(tmp_path: Path) -> None:
    for name in ("b-2.0-py3-none-any.whl", "a_c-1.0-cp311-cp311-linux_x86_64.whl", "pip-26.3-py3-none-any.whl"):
        (tmp_path / name).write_text(name, encoding="ascii")
    first, second = lock_of(tmp_path).splitlines()
    assert first == f"a_c==1.0 --hash=sha256:{sha256_of(tmp_path / 'a_c-1.0-cp311-cp311-linux_x86_64.whl')}"
    assert second.startswith("b==2.0 --hash=sha256:")
