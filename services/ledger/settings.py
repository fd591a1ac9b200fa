"""The ledger's settings, from `LEDGER_*` in the environment. Read by `__main__`."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pipeline.blobs.settings import StoreSettings
from pipeline.service import ServiceSettings

ORPHAN_AFTER_S: Final[Any] = Field(
    default=86_400.0,
    ge=0,
    description="A prefix without a job is an orphan when all its objects are older; longer than any upload takes.",
)


class LedgerSettings(ServiceSettings):
    """What the ledger can be told."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="PostgreSQL, as the role that owns the schema `ledger`.")
    batch_max_events: int = Field(default=500, ge=1, le=500, description="At most so many events a transaction.")
    bill_reprocess: bool = Field(
        default=True,
        description="Whether a run is billed when an earlier one of its job completed too. Failed runs never are: a call "
        "that failed first and completed in a later run is billed once, whatever this says.",
    )
    sweep_every_s: float = Field(
        default=21_600.0, ge=0, description="The janitor looks for orphans in the store this often; 0: never."
    )
    erase_every_s: float = Field(
        default=1.0, gt=0, le=3600, description="The janitor looks for jobs to erase this often."
    )
    expire_every_s: float = Field(
        default=3600.0, ge=0, description="What clients agreed to keep no longer is deleted this often; 0: never."
    )
    orphan_after_s: float = ORPHAN_AFTER_S
    orphans_max: int = Field(
        default=100,
        ge=0,
        description="More orphans than this are not swept unasked: the database may be an older one than the store. "
        "`razgovor store sweep` sweeps them.",
    )
    metrics_clients: bool = Field(
        default=False, description="Whether metrics tell ends and durations apart by client: a series for each."
    )


class JanitorSettings(StoreSettings):
    """What a sweep by command needs of the ledger's settings: no broker."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr = Field(description="PostgreSQL, as the role that owns the schema `ledger`.")
    orphan_after_s: float = ORPHAN_AFTER_S
