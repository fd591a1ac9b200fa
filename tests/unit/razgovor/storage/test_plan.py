from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import Fatal
from razgovor.storage.plan import RETENTION, read_plan, user_of
from razgovor.storage.secrets_folder import secret_of

COMPOSE = Path(__file__).parents[4] / "compose/store"


def test_the_deployments_plan_names_each_service_and_only_its_bucket() -> None:
    plan = read_plan(COMPOSE, "calls", retention_days=None)
    assert set(plan.policies) == {"ingest", "transcriber", "exporter", "ledger", "auditor", "analytics"}
    for policy in plan.policies.values():
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in statement["Action"])
            assert all(resource.partition("/")[0] == "arn:aws:s3:::calls" for resource in statement["Resource"])


def test_who_only_audits_writes_nothing() -> None:
    policy = read_plan(COMPOSE, "calls", retention_days=None).policies["auditor"]
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert actions == {"s3:ListBucket", "s3:GetObject"}


def test_retention_is_a_rule_of_its_own_and_none_is_the_default() -> None:
    rules = read_plan(COMPOSE, "calls", retention_days=400).lifecycle
    assert [rule for rule in rules if rule["ID"] == RETENTION] == [
        {"ID": RETENTION, "Status": "Enabled", "Filter": {"Prefix": "jobs/"}, "Expiration": {"Days": 400}}
    ]
    without = read_plan(COMPOSE, "calls", retention_days=None).lifecycle
    assert not any(str(rule["Filter"]).find("jobs/") > 0 for rule in without)


def test_what_is_deleted_does_not_live_on_as_an_old_version() -> None:
    rules = {str(rule["ID"]): rule for rule in read_plan(COMPOSE, "calls", retention_days=None).lifecycle}
    assert rules["razgovor-versions"] == {
        "ID": "razgovor-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }


@pytest.mark.parametrize("lifecycle", [None, "no json", "[]", '{"Rules": []}'])
def test_a_folder_that_holds_no_plan_is_named(tmp_path: Path, lifecycle: str | None) -> None:
    if lifecycle is not None:
        (tmp_path / "lifecycle.json").write_text(lifecycle)
    with pytest.raises(Fatal, match="holds no"):
        read_plan(tmp_path, "calls", retention_days=None)


def test_a_secret_is_made_once_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    with pytest.raises(Fatal, match="ingest_store_secret_key"):
        secret_of(folder, "ingest", make=False)
    made = secret_of(folder, "ingest", make=True)
    assert len(made) >= 40
    assert secret_of(folder, "ingest", make=True) == secret_of(folder, "ingest", make=False) == made
    assert (folder / "ingest_store_secret_key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert secret_of(folder, "ledger", make=True) != made
    assert user_of("ledger") == "razgovor-ledger"
