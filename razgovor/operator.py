"""Who runs a command, as the audit log knows it: the number of the account, which names nobody outside of the machine."""

from __future__ import annotations

import os

from services.ingest.audit_log import OPERATOR


def operator() -> str:
    """`operator:1000`."""
    return f"{OPERATOR}:{os.getuid()}"
