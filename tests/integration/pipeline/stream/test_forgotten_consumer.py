"""Garbage is collected by whichever thread makes objects, librdkafka's among them; that may not end the process."""

from __future__ import annotations

import subprocess
import sys


def test_a_consumer_that_nobody_closed_does_not_abort_the_process() -> None:
    module = "tests.integration.pipeline.stream.forgotten_consumer"
    run = subprocess.run([sys.executable, "-m", module], capture_output=True, text=True, timeout=60, check=False)

    assert (run.returncode, run.stdout) == (0, "alive\n"), run.stderr
