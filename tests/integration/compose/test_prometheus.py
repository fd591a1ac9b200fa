"""Prometheus' configuration, the alerts and the dashboard."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.telemetry import families
from pipeline.telemetry.families import Family, Histogram, Summary
from tests.integration.compose.conftest import COMPOSE

PROMETHEUS = COMPOSE / "prometheus"
ALERTS = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((COMPOSE / "grafana/dashboards/razgovor.json").read_text())


def told(promtool: Path, *arguments: str) -> str:
    done = subprocess.run([str(promtool), *arguments], capture_output=True, text=True, check=False, cwd=PROMETHEUS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.peers(running=False)
def test_promtool_takes_configuration_and_rules(promtool: Path) -> None:
    assert "SUCCESS" in told(promtool, "check", "config", "prometheus.yml")
    assert f"{len(ALERTS)} rules found" in told(promtool, "check", "rules", "alerts.yml")


@pytest.mark.peers(running=False)
def test_alerts_go_off_when_they_should_and_not_else(promtool: Path) -> None:
    assert "SUCCESS" in told(promtool, "test", "rules", "alerts_test.yml")


def test_every_alert_is_tested_both_ways() -> None:
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    rules = [rule for test in tests for rule in test["alert_rule_test"]]
    names = {alert["alert"] for alert in ALERTS}
    assert {rule["alertname"] for rule in rules if rule.get("exp_alerts")} == names
    assert {rule["alertname"] for rule in rules if not rule.get("exp_alerts")} == names


def shown(family: Family) -> Iterator[str]:
    """The names that a metric is exposed by."""
    match family:
        case Histogram():
            yield from (f"{family.name}_{part}" for part in ("bucket", "count", "sum"))
        case Summary():
            yield from (f"{family.name}_{part}" for part in ("count", "sum"))
        case _:
            yield family.name


def known() -> dict[str, tuple[str, ...]]:
    found = [value for value in vars(families).values() if isinstance(value, Family)]
    return {name: family.labels for family in found for name in shown(family)}


def expressions() -> Iterator[str]:
    yield from (alert["expr"] for alert in ALERTS)
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_only_metrics_and_labels_that_there_are_are_asked_for(expression: str) -> None:
    metrics = known()
    asked = re.findall(r"\b(razgovor_[a-z_]+)", expression)
    assert set(asked) <= metrics.keys()
    labels = {label for metric in asked for label in metrics[metric]} | {"job", "instance", "le"}
    for group in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in group.split(",")} <= labels
    for metric, selectors in re.findall(r"\b(razgovor_[a-z_]+)\{([^}]*)\}", expression):
        assert set(re.findall(r"([a-z_]+)\s*[=!]", selectors)) <= set(metrics[metric])


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _y in cells) < 24
    assert all(panel["description"] for panel in panels)


def test_each_service_is_scraped() -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    assert {job["job_name"] for job in jobs} == {"ingest", "transcriber", "exporter", "ledger", "prometheus"}
