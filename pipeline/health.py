"""`python -m pipeline.health STATUS_FILE`: a container's health check. 0 while the service works and gives signs of life.

Imports next to nothing: it is run every few seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Final

MAX_AGE_S: Final = 30.0
#: At work; `fused` works too, it rests on purpose and says so.
_HEALTHY: Final = frozenset({"ready", "fused"})


def complaint(status_file: Path, now_s: float) -> str | None:
    """Why the service is not healthy; None: it is.

    Args:
        status_file: What the service writes (`pipeline.service.StatusFile`); its mtime is the heartbeat.
        now_s: The time now, in seconds of Unix.
    """
    try:
        age_s = now_s - status_file.stat().st_mtime
        state = json.loads(status_file.read_text(encoding="utf-8"))["state"]
    except (OSError, ValueError, KeyError, TypeError):
        return "it has not said anything yet"
    if state not in _HEALTHY:
        return f"it is {state}"
    return f"no sign of life for {age_s:.0f} s" if age_s > MAX_AGE_S else None


def main() -> int:
    """Check the file that the command line names; the exit status."""
    found = complaint(Path(sys.argv[1]), time.time())
    if found is not None:
        sys.stdout.write(found + "\n")
    return 0 if found is None else 1


if __name__ == "__main__":
    sys.exit(main())
