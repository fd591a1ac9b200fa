"""The bundle on a machine without a network: installed, checked, run as its unit says, one call transcribed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.testing.waiting import eventually
from razgovor.bundle.archive import make_bundle
from razgovor.cache import cache_folder
from razgovor.embedded.owned_process import SOURCE_ROOT
from razgovor.embedded.testing import temporary_folder
from tests.lacking import needs_root, skip_or_fail

pytestmark = [pytest.mark.peers, pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(1800)]
HERE = Path(__file__).parent


@pytest.fixture
def unshared() -> None:
    """This account may make a machine of its own to break."""
    needs_root("it makes namespaces of its own")
    if subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False).returncode:  # noqa: S607
        skip_or_fail("root may not make namespaces on this machine: a container needs CAP_SYS_ADMIN")


@pytest.mark.usefixtures("unshared")
def test_it_installs_and_transcribes_where_there_is_no_route_and_no_python() -> None:
    told: list[str] = []
    with temporary_folder() as folder:
        tar = make_bundle(SOURCE_ROOT, folder, cache_folder(os.environ), "base", told.append, kafka=True)
        command = ["unshare", "--mount", "--net", "--kill-child", "--pid", "--fork", "--mount-proc", "bash"]
        done = subprocess.run(
            [*command, str(HERE / "offline.sh"), str(tar), str(folder), str(HERE / "drive.py")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert done.stdout.rstrip().endswith("TRANSCRIBED"), done.stdout
        assert "Python: /opt/razgovor/releases/" in done.stdout  # the bundle's own: the machine had none
        assert "is installed already" in (folder / "again.txt").read_text(encoding="utf-8")
        eventually(lambda: not list(folder.glob(".bundle-*")))
    assert told[-1] == "packing"
