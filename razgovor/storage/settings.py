"""Who may set a store up: `RAZGOVOR_STORE_*`, the store's owner."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from pipeline.blobs.settings import StoreSettings


class StoreOwnerSettings(StoreSettings):
    """The store as its owner reaches it."""

    model_config = SettingsConfigDict(env_prefix="RAZGOVOR_", frozen=True, extra="ignore", env_ignore_empty=True)
