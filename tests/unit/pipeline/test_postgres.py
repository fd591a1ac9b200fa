from __future__ import annotations

import pytest

from pipeline.postgres import is_refusal, missing_parameters


@pytest.mark.parametrize(
    "message",
    [
        'connection to server at "db" failed: FATAL:  password authentication failed for user "razgovor_ledger"',
        'FATAL:  role "razgovor_ledger" does not exist',
        'FATAL:  database "razgovor" does not exist\n',
        'FATAL:  no pg_hba.conf\n\tentry for host "10.0.0.1"',
    ],
)
def test_a_wrong_role_password_or_database_is_refused(message: str) -> None:
    assert is_refusal(message)


@pytest.mark.parametrize("message", ["Connection refused", "FATAL:  the database system is starting up", ""])
def test_a_server_that_is_away_or_starting_is_not(message: str) -> None:
    assert not is_refusal(message)


def test_what_an_address_says_is_left_to_it() -> None:
    parameters = missing_parameters({"host", "connect_timeout"}, "razgovor-ledger")
    assert parameters["application_name"] == "razgovor-ledger"
    assert parameters["keepalives_idle"] > 0
    assert "connect_timeout" not in parameters
