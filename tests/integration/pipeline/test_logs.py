from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging, threading
from pipeline.telemetry import logs
log = logs.configure("ledger", "INFO")
log.info("hello", job_id="job-1")
thread = threading.Thread(target=lambda: logs.get("worker").warning("waiting", pause_s=0.5))
thread.start(); thread.join()
logging.getLogger("somebody").error("foreign %s", "line")
"""


def test_every_line_is_json_with_service_level_and_time_whoever_writes_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["hello", "waiting", "foreign line"]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    for line in lines:
        assert line["service"] == "ledger"
        assert line["timestamp"].endswith("Z")
