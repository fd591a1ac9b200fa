"""compose.yaml: what it starts, as whom, with what rights; and that each service would take what it is told."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.service import ServiceSettings
from razgovor.peers.programs import GO
from razgovor.storage.plan import user_of
from razgovor.storage.settings import StoreOwnerSettings
from razgovor.topics.settings import TopicSettings
from services.exporter.settings import ExporterSettings
from services.ingest.settings import IngestSettings
from services.ledger.settings import LedgerSettings
from services.transcriber.settings import TranscriberSettings
from tests.integration.compose.conftest import CHECKER, COMPOSE, program

pytestmark = pytest.mark.peers(running=False)
SETTINGS: dict[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "transcriber": TranscriberSettings,
    "transcriber-gpu": TranscriberSettings,
    "exporter": ExporterSettings,
    "ledger": LedgerSettings,
}
JOBS = {"database-roles", "topics", "bucket", "model", "tools"}
OURS = {*SETTINGS, "topics", "bucket", "model", "tools"}
Service = dict[str, Any]


def services(project: dict[str, Any]) -> dict[str, Service]:
    found: dict[str, Service] = project["services"]
    return found


def test_everything_is_there(project: dict[str, Any]) -> None:
    peers = {"kafka", "registry", "database", "store", "prometheus", "grafana"}
    assert services(project).keys() == OURS | peers | {"database-roles"}


def test_images_are_pinned(project: dict[str, Any]) -> None:
    for name, service in services(project).items():
        assert re.search(r":[^:/]*\d[^:/]*$", service["image"]), name
        assert "latest" not in service["image"], name
    bases = re.findall(r"^FROM (\S+)", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE)
    assert all(":" in base for base in bases if "/" in base or base.startswith("python"))


@pytest.mark.parametrize("name", sorted(OURS))
def test_ours_have_no_rights_and_nothing_to_write_to_but_volumes(project: dict[str, Any], name: str) -> None:
    service = services(project)[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "user" not in service  # the image's own
    assert not service.get("privileged", False)
    assert all(mount["type"] != "bind" for mount in service.get("volumes", []))


def test_the_images_own_user_is_not_root() -> None:
    dockerfile = (COMPOSE / "Dockerfile").read_text()
    stages = re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)
    assert [stage for stage in stages if stage.startswith("runtime AS")]
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert stages[2].rstrip().endswith("USER 10001:10001")  # every target is made from this stage


def test_each_service_has_a_target(project: dict[str, Any]) -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE))
    wanted = {services(project)[name]["build"]["target"] for name in OURS}
    assert wanted == {"ingest", "transcriber", "transcriber-cuda", "exporter", "ledger", "tools"}
    assert wanted <= targets


def test_what_stays_up_is_checked_for_health(project: dict[str, Any]) -> None:
    dockerfile = (COMPOSE / "Dockerfile").read_text()
    for name, service in services(project).items():
        if name in JOBS:
            assert service["restart"] == "no" if name != "database-roles" else "restart" not in service
        elif name in SETTINGS:
            stage = re.search(
                rf"^FROM \S+ AS {service['build']['target']}$(.*?)(?=^FROM )", dockerfile, re.MULTILINE | re.DOTALL
            )
            assert stage is not None
            assert "HEALTHCHECK" in stage[1] or name == "transcriber-gpu"  # made from the transcriber's
        else:
            assert service["healthcheck"]["test"], name


def test_only_loopback_hears_us(project: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services(project).items() if "ports" in service}
    assert published.keys() == {"ingest", "grafana"}
    assert {port["host_ip"] for ports in published.values() for port in ports} == {"127.0.0.1"}
    assert project["networks"]["inside"]["internal"] is True
    reach_out = {name for name, service in services(project).items() if "outside" in service["networks"]}
    assert reach_out == {"ingest", "grafana", "model"}


def test_secrets_are_files_and_stand_in_no_variable(project: dict[str, Any], secrets: Path) -> None:
    assert {Path(secret["file"]).name for secret in project["secrets"].values()} <= {
        path.name for path in secrets.iterdir()
    }
    for name, service in services(project).items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|DATABASE_URL", variable):
                assert str(value).startswith("/run/secrets/"), (name, variable)


def test_secrets_are_made_once_for_their_owner_only(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    command = ["sh", str(COMPOSE / "secrets.sh"), str(secrets)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o444}
    assert len(set(before.values())) == len(before)
    assert not any(secret.strip() in done.stdout + done.stderr for secret in before.values())


def mounted(service: Service, project: dict[str, Any], made: Path, folder: Path) -> Path:
    """The folder /run/secrets as the container sees it."""
    for secret in service.get("secrets", []):
        source = made / Path(project["secrets"][secret["source"]]["file"]).name
        (folder / Path(secret.get("target") or secret["source"]).name).write_bytes(source.read_bytes())
    return folder


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for variable in list(os.environ):
        if variable.startswith(("INGEST_", "TRANSCRIBER_", "EXPORTER_", "LEDGER_", "RAZGOVOR_STORE")):
            monkeypatch.delenv(variable)
    return monkeypatch


@pytest.mark.parametrize("name", SETTINGS)
def test_each_service_takes_what_it_is_told(
    project: dict[str, Any], secrets: Path, tmp_path: Path, bare_environment: pytest.MonkeyPatch, name: str
) -> None:
    service, settings_class = services(project)[name], SETTINGS[name]
    prefix = settings_class.model_config["env_prefix"]
    for variable, value in service["environment"].items():
        assert variable.removeprefix(prefix).lower() in settings_class.model_fields, variable
        bare_environment.setenv(variable, value)
    settings = settings_class(_secrets_dir=mounted(service, project, secrets, tmp_path))
    credentials = settings.store_options.credentials
    assert credentials is not None
    assert credentials.access_key == user_of(prefix.lower().rstrip("_"))
    assert credentials.secret_key == (secrets / f"{prefix.lower()}store_secret_key").read_text().strip()
    if isinstance(settings, IngestSettings | LedgerSettings):
        assert f"razgovor_{name}:" in settings.database_url.get_secret_value()


def test_the_jobs_take_what_they_are_told(
    project: dict[str, Any], secrets: Path, tmp_path: Path, bare_environment: pytest.MonkeyPatch
) -> None:
    bucket = services(project)["bucket"]
    for variable, value in {**bucket["environment"], **services(project)["topics"]["environment"]}.items():
        bare_environment.setenv(variable, value)
    owner = StoreOwnerSettings(_secrets_dir=mounted(bucket, project, secrets, tmp_path))
    assert owner.store_options.credentials is not None
    assert (tmp_path / "ingest_store_secret_key").exists()  # the users' secrets, read by `store apply`
    assert TopicSettings().registry is not None


def test_variables_of_the_images_are_settings_too() -> None:
    for prefix, variable in re.findall(
        r"\b(INGEST|TRANSCRIBER|EXPORTER|LEDGER)_([A-Z_]+)=", (COMPOSE / "Dockerfile").read_text()
    ):
        assert variable.lower() in SETTINGS[prefix.lower()].model_fields, variable


def test_dependencies_come_first_and_are_ready(project: dict[str, Any]) -> None:
    found = services(project)
    for name, service in found.items():
        for needed, how in service.get("depends_on", {}).items():
            ends = needed in JOBS
            assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy"), (name, needed)


def test_the_checkers_source_is_formatted() -> None:
    go = program(GO)
    command = [str(go.with_name("gofmt")), "-l", str(CHECKER)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""


def test_yaml_files_are_readable() -> None:
    for path in [*COMPOSE.rglob("*.yml"), *COMPOSE.rglob("*.yaml")]:
        assert yaml.safe_load(path.read_text()), path
