"""Production entries know nothing of the test build: no variable of its arms them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import pipeline
import services
from razgovor.chaos.settings import ChaosSettings

ROOMS = [Path(str(room.__file__)).parent for room in (pipeline, services)]
SOURCES = [path for room in ROOMS for path in room.rglob("*.py")]
VARIABLES = [f"RAZGOVOR_{name.upper()}" for name in ChaosSettings.model_fields]


@cache
def code_of(path: Path) -> str:
    """Without docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    return ast.unparse(tree)


@pytest.mark.parametrize("variable", VARIABLES)
def test_no_service_reads_a_variable_of_the_test_build(variable: str) -> None:
    assert [path for path in SOURCES if variable in code_of(path)] == []


def test_no_service_arms_a_crash_point() -> None:
    calls = [
        path
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("arm")
    ]
    assert calls == []
