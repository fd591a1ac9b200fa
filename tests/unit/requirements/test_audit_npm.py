from __future__ import annotations

from requirements.audit_npm import audit

#: As npm 11 writes them (`audit-report.js` of its arborist); shortened.
FOUND = {
    "auditReportVersion": 2,
    "vulnerabilities": {"b": {"name": "b", "severity": "high", "range": "<2.1", "via": ["c"]}},
    "metadata": {"dependencies": {"total": 3}},
}
REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405, "body": ""}


def test_a_finding_fails() -> None:
    assert audit(FOUND) == (1, "b <2.1: high")


def test_nothing_found_says_of_how_many() -> None:
    assert audit({**FOUND, "vulnerabilities": {}}) == (0, "no known vulnerabilities in 3 packages of the page")


def test_where_nobody_answers_that_is_said() -> None:
    for silent in (None, REFUSED, {}):
        status, said = audit(silent)
        assert (status, said.startswith("NOT AUDITED")) == (0, True)
