"""`razgovor store apply|check|sweep`: the store as a deployment needs it. RAZGOVOR_STORE_* says which, and who owns it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline import service
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.admin import BucketAdmin, Finding
from pipeline.errors import Fatal
from razgovor.commands.failures import explained
from razgovor.commands.sweep import sweep_command
from razgovor.storage.minio_users import MinioUsers
from razgovor.storage.plan import StorePlan, read_plan, user_of
from razgovor.storage.secrets_folder import secret_of
from razgovor.storage.settings import StoreOwnerSettings

app = typer.Typer(help="The S3 store of a deployment.", no_args_is_help=True)


class Users(StrEnum):
    """Who makes the services' users."""

    MINIO = "minio"
    PRINT = "print"


FolderOption = Annotated[Path, typer.Option("--from", help="Holds lifecycle.json and policies/<service>.json.")]
RetentionOption = Annotated[
    int | None, typer.Option(help="Everything of a job expires after these days; none: never.", min=1)
]
UsersOption = Annotated[
    Users, typer.Option(help="minio: made here, on MinIO and its forks. print: policies are shown, you make the users.")
]
SecretsOption = Annotated[
    Path, typer.Option(help="Holds <service>_store_secret_key; apply makes those that are missing.")
]
_FOLDER = Path("compose/store")


app.command("sweep")(sweep_command)


@app.callback()
def root() -> None:
    """The S3 store of a deployment."""


@app.command("apply")
def apply(
    *,
    folder: FolderOption = _FOLDER,
    retention_days: RetentionOption = None,
    users: UsersOption = Users.PRINT,
    secrets: SecretsOption = Path("secrets"),
) -> None:
    """Make bucket, encryption, lifecycle, users and policies so. Repeating it changes nothing."""
    _carry_out(folder, retention_days, users, secrets, apply=True)


@app.command("check")
def check(
    *,
    folder: FolderOption = _FOLDER,
    retention_days: RetentionOption = None,
    users: UsersOption = Users.PRINT,
) -> None:
    """Say whether they are so; exit with 1 if not."""
    _carry_out(folder, retention_days, users, None, apply=False)


def _carry_out(folder: Path, retention_days: int | None, users: Users, secrets: Path | None, *, apply: bool) -> None:
    settings = service.load(StoreOwnerSettings)
    differs = False
    with explained():
        address = S3Address.parse(settings.store_url)
        plan = read_plan(folder, address.bucket, retention_days=retention_days)
        for finding in _findings(settings, address, plan, users, secrets, apply=apply):
            typer.echo(f"{finding.subject}: {finding.state}{f' ({finding.detail})' if finding.detail else ''}")
            differs |= finding.state == "differs"
    if differs:
        raise typer.Exit(1)


def _findings(
    settings: StoreOwnerSettings,
    address: S3Address,
    plan: StorePlan,
    users: Users,
    secrets: Path | None,
    *,
    apply: bool,
) -> Iterator[Finding]:
    with closing(BucketAdmin(address, settings.store_options)) as bucket:
        found = bucket.bucket(apply=apply)
        yield found
        if found.state == "differs":
            return
        yield bucket.encryption(settings.store_options.encryption, apply=apply)
        yield from bucket.lifecycle(plan.lifecycle, apply=apply)
    if users is Users.PRINT:
        for name, policy in plan.policies.items():
            typer.echo(f"policy for the user {user_of(name)}:\n{json.dumps(policy, indent=2)}")
        return
    with closing(MinioUsers(address, settings.store_options)) as minio:
        for name, policy in plan.policies.items():
            if not apply:
                yield minio.check(name, policy)
            elif secrets is None:
                raise Fatal("secrets are needed to make users")
            else:
                yield minio.apply(name, policy, secret_of(secrets, name, make=True))
