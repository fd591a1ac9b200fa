from __future__ import annotations

import pytest

from razgovor.bundle.environment_files import SETTINGS, environment_file


@pytest.mark.parametrize("service", SETTINGS)
def test_what_must_be_said_is_open_and_the_rest_commented_out(service: str) -> None:
    lines = environment_file(service).splitlines()
    open_lines = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    prefix = f"{service.upper()}_"
    assert {f"{prefix}BOOTSTRAP_SERVERS", f"{prefix}STORE_URL"} <= open_lines
    assert all(line.endswith("=") for line in lines if line and not line.startswith("#"))


def test_no_secret_has_a_default() -> None:
    for service in SETTINGS:
        for line in environment_file(service).splitlines():
            if "PASSWORD=" in line or "SECRET_KEY=" in line:
                assert line.endswith("=")
