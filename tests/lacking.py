"""What a test does where the machine lacks what it needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from razgovor.peers.testing import is_required


def skip_or_fail(why: str) -> NoReturn:
    """Skip the test; fail it where the run is to prove something, so that it can't pass by skipping."""
    if is_required(os.environ):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def needs_root(what: str) -> None:
    """Skip the test of an ordinary account, which can do nothing about it: also where the run is to prove something."""
    if os.geteuid():
        pytest.skip(f"{what}, which no ordinary account may: only root runs this test")
