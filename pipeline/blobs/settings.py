"""The settings of whoever reads or writes the store. Read by `pipeline.service` and the product's commands."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.blobs.options import Credentials, Encryption, StoreOptions
from pipeline.errors import Fatal


class StoreSettings(BaseSettings):
    """Where the store is and how it is reached; subclassed with an `env_prefix`."""

    # An empty variable is an unset one: a compose file passes `${X:-}` through.
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    store_url: str = Field(
        description="Where objects lie: file:///absolute/folder, or s3://bucket?endpoint=https://host:port&region=name."
    )
    store_access_key: str | None = Field(default=None, description="This service's user at an S3 store.")
    store_secret_key: SecretStr | None = Field(default=None, description="Its secret.")
    store_encryption: str = Field(
        default="none", description="What an S3 store encrypts with: none, sse-s3, sse-kms or sse-kms:KEY_ID."
    )
    store_ca_file: Path | None = Field(default=None, description="PEM of the store's authority; none: the system's.")
    store_connections: int = Field(default=32, ge=1, le=1000, description="Kept open to an S3 store at most.")
    store_connect_timeout_s: float = Field(default=3.0, gt=0, le=60, description="Until a connection stands.")
    store_read_timeout_s: float = Field(default=15.0, gt=0, le=300, description="Between two pieces of an answer.")
    store_attempts: int = Field(default=3, ge=1, le=10, description="A request is sent at most so often.")
    scratch_dir: Path | None = Field(
        default=None, description="Where copies, parts and decoded channels lie meanwhile; none: the temporary folder."
    )

    @model_validator(mode="after")
    def _options_hold_together(self) -> Self:
        try:
            _ = self.store_options
        except Fatal as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def store_options(self) -> StoreOptions:
        """How the store is reached."""
        if (self.store_access_key is None) != (self.store_secret_key is None):
            raise ValueError("store_access_key and store_secret_key go together")
        credentials = None
        if self.store_access_key is not None and self.store_secret_key is not None:
            credentials = Credentials(self.store_access_key, self.store_secret_key.get_secret_value())
        return StoreOptions(
            credentials=credentials,
            encryption=Encryption.parse(self.store_encryption),
            ca_file=self.store_ca_file,
            connections=self.store_connections,
            connect_timeout_s=self.store_connect_timeout_s,
            read_timeout_s=self.store_read_timeout_s,
            attempts=self.store_attempts,
            scratch_dir=self.scratch_dir,
        )
