"""`python -m razgovor.chaos.proxies`: one fault proxy; its folder holds `control.json` and gets `status.json`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.service import stop_event
from razgovor.chaos.proxies.process import work


def main() -> None:
    """Serve until SIGTERM, or until whoever started us is gone."""
    parser = argparse.ArgumentParser(prog="razgovor.chaos.proxies")
    parser.add_argument("--upstream", required=True, help="host:port of the server behind")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    work(told.upstream, told.folder, port=told.port, seed=told.seed, stop=stop_event(stop_with_parent=True))


if __name__ == "__main__":
    main()
