"""What a store is to be, read from files: `lifecycle.json` and `policies/<service>.json` of a folder (compose/store)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.contracts import layout
from pipeline.errors import Fatal

#: Stands for the bucket's name in policy files.
BUCKET: Final = "__BUCKET__"
RETENTION: Final = "razgovor-retention"

Policy = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What is wanted.

    Attributes:
        lifecycle: The bucket's rules, as S3 takes them.
        policies: By service; user and policy are both named `razgovor-<service>`.
    """

    lifecycle: tuple[dict[str, object], ...]
    policies: Mapping[str, Policy]


def read_plan(folder: Path, bucket: str, *, retention_days: int | None) -> StorePlan:
    """The plan for a bucket.

    Args:
        folder: Holds `lifecycle.json` and `policies/`.
        bucket: Its name.
        retention_days: After these everything of a job expires; None: never.

    Raises:
        Fatal: The folder does not hold it.
    """
    try:
        rules = json.loads((folder / "lifecycle.json").read_text(encoding="utf-8"))["Rules"]
        policies = {path.stem: _policy(path, bucket) for path in sorted((folder / "policies").glob("*.json"))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Fatal(f"{folder} holds no lifecycle.json and policies/: {type(error).__name__}") from error
    if not policies:
        raise Fatal(f"{folder} holds no policies")
    retention = () if retention_days is None else (_retention(retention_days),)
    return StorePlan((*rules, *retention), policies)


def user_of(service: str) -> str:
    """The user, and the policy, of a service."""
    return f"razgovor-{service}"


def _policy(path: Path, bucket: str) -> Policy:
    policy: Policy = json.loads(path.read_text(encoding="utf-8").replace(BUCKET, bucket))
    return policy


def _retention(days: int) -> dict[str, object]:
    return {
        "ID": RETENTION,
        "Status": "Enabled",
        "Filter": {"Prefix": layout.JOBS_PREFIX},
        "Expiration": {"Days": days},
    }
