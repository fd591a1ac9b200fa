"""The settings of whoever sends requests to addresses that others name. Mixed into a service's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, IPvAnyNetwork
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.outbound.destinations import Allowed


class OutboundSettings(BaseSettings):
    """Where requests of ours may go; subclassed with an `env_prefix`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    outbound_schemes: frozenset[Literal["http", "https"]] = Field(
        default=frozenset({"https"}), description="Schemes of addresses that others name, as a JSON list."
    )
    outbound_ports: frozenset[int] = Field(
        default=frozenset({443}), description="Ports of addresses that others name, as a JSON list."
    )
    outbound_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(),
        description='Networks that are not public and may be reached all the same, as a JSON list: ["10.1.0.0/16"].',
    )
    outbound_ca_file: Path | None = Field(
        default=None, description="PEM of authorities that those servers are proved by besides the system's."
    )

    @property
    def outbound_allowed(self) -> Allowed:
        """Where requests may go."""
        return Allowed(
            schemes=frozenset(self.outbound_schemes), ports=self.outbound_ports, networks=self.outbound_networks
        )
