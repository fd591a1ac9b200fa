"""The ledger's settings, from `LEDGER_*` in the environment. Read by `__main__`."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pipeline.service import ServiceSettings


class LedgerSettings(ServiceSettings):
    """What the ledger can be told."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="PostgreSQL, as the role that owns the schema `ledger`.")
    batch_max_events: int = Field(default=500, ge=1, le=500, description="At most so many events a transaction.")
    bill_reprocess: bool = Field(
        default=True,
        description="Whether a run after the first is billed when it completes. Failed runs never are, so with false a "
        "call that failed first and completed in a later run is not billed at all.",
    )
