"""What was used in a month, and what it cost to make. Values and arithmetic; the ledger's views hold the figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, Protocol

MS_PER_HOUR: Final = 3_600_000
_WATTS_PER_KILOWATT: Final = 1000
_CENT: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A client's month of UTC, by the acceptance of its calls.

    Attributes:
        month: Its first day.
        calls, billed_ms: What is billed; a reprocess counts where it is billed.
        audio_ms: Audio of all completed runs, each time it was transcribed.
        engine_ms: What these runs took of engines: the share of each in the time of its batches.
        failures: Jobs that failed and were not done again, by reason.
    """

    client_id: str
    month: date
    calls: int = 0
    billed_ms: int = 0
    audio_ms: int = 0
    engine_ms: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What an hour costs, here and in a cloud; None: not said.

    Attributes:
        watts: What one engine and its share of the machine draw while it works.
        per_kwh: Of electricity.
        amortisation_per_hour: What an hour of the machine's life costs for each engine.
        currency: Of all amounts, ISO 4217.
        cloud_per_audio_hour: What a cloud takes for an hour of audio.
        cloud_source: Whose price that is, and where it stands.
    """

    watts: float | None = None
    per_kwh: Decimal | None = None
    amortisation_per_hour: Decimal | None = None
    currency: str = "USD"
    cloud_per_audio_hour: Decimal | None = None
    cloud_source: str | None = None

    def per_audio_hour(self, usage: Usage) -> Decimal | None:
        """What an hour of this audio cost here; None where nothing was transcribed, or no price is said."""
        power = None
        if self.watts is not None and self.per_kwh is not None:
            power = Decimal(str(self.watts)) / _WATTS_PER_KILOWATT * self.per_kwh
        if not usage.audio_ms or (power is None and self.amortisation_per_hour is None):
            return None
        per_engine_hour = (power or Decimal(0)) + (self.amortisation_per_hour or Decimal(0))
        return (per_engine_hour * usage.engine_ms / usage.audio_ms).quantize(_CENT)


def total(month: date, usages: list[Usage]) -> Usage:
    """All clients together."""
    failures: dict[str, int] = {}
    for usage in usages:
        for reason, count in usage.failures.items():
            failures[reason] = failures.get(reason, 0) + count
    return Usage(
        client_id="",
        month=month,
        calls=sum(usage.calls for usage in usages),
        billed_ms=sum(usage.billed_ms for usage in usages),
        audio_ms=sum(usage.audio_ms for usage in usages),
        engine_ms=sum(usage.engine_ms for usage in usages),
        failures=failures,
    )


def month_of(text: str) -> date:
    """The first day of a month.

    Raises:
        ValueError: It is not of the form 2026-11.
    """
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()


class UsageRecord(Protocol):
    """Where usage is read. May raise Transient."""

    def of_month(self, month: date, client_id: str | None = None) -> list[Usage]:
        """Who used anything in a month, by client; of one client only, if it is named."""
