"""Samples of the services' environment files, out of their settings: what must be said, and what may be, with its default."""

from __future__ import annotations

import textwrap
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pipeline.service import ServiceSettings
from services.exporter.settings import ExporterSettings
from services.ingest.settings import IngestSettings
from services.ledger.settings import LedgerSettings
from services.transcriber.settings import TranscriberSettings

SETTINGS: Final[dict[str, type[ServiceSettings]]] = {
    "ingest": IngestSettings,
    "transcriber": TranscriberSettings,
    "exporter": ExporterSettings,
    "ledger": LedgerSettings,
}
#: The unit says these.
NOT_SAID: Final = frozenset({"status_file", "stop_with_parent", "model_cache_dir"})
WIDTH: Final = 110


def environment_file(service: str) -> str:
    """A file for systemd's EnvironmentFile."""
    settings = SETTINGS[service]
    prefix = str(settings.model_config.get("env_prefix", ""))
    lines = [f"# Settings of razgovor-{service}. Not commented out: what must be said."]
    for name, field in settings.model_fields.items():
        if name not in NOT_SAID:
            lines += ["", *_told(field), _assignment(f"{prefix}{name.upper()}", field)]
    return "\n".join(lines) + "\n"


def _told(field: FieldInfo) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(field.description or "", WIDTH)]


def _assignment(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return f"{name}="
    value = field.default
    shown = "" if value is None or isinstance(value, SecretStr) else str(value)
    return f"#{name}={shown}"
