"""Whether a client's audio quota has room for a call. Pure; a repository asks inside its transaction.

free = limit - what the ledger billed - what is reserved. A job reserves what its recording declares, from acceptance to
its end; then the ledger's figure takes the reservation's place. Days and months are those of UTC, by the acceptance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.ingest.clients import Quota
from services.ingest.problems import QUOTA_EXCEEDED, Problem
from services.ingest.submissions import StoredAudio

MS_PER_MINUTE: Final = 60_000
#: A recording that does not tell how long it is counts as telephone speech in GSM; what it was, the ledger says later.
_TYPICAL_BYTES_PER_S: Final = 1_650
#: No codec that is taken makes less of a second, so a header that claims more time than this is not believed.
_LEAST_BYTES_PER_S: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a client has used of the day and the month of an acceptance: billed and reserved, in milliseconds.

    Attributes:
        day_ends_at, month_ends_at: When the next begins.
    """

    day_ms: int
    month_ms: int
    day_ends_at: datetime
    month_ends_at: datetime


def reserved_ms(audio: StoredAudio) -> int:
    """How much audio a recording reserves."""
    if not audio.declared_duration_ms or audio.declared_duration_ms < 0:
        return audio.size_bytes * 1000 // _TYPICAL_BYTES_PER_S
    return min(audio.declared_duration_ms, audio.size_bytes * 1000 // _LEAST_BYTES_PER_S)


def check(quota: Quota, used: Used, wanted_ms: int) -> None:
    """Refuse what goes beyond the quota.

    Args:
        quota: The client's.
        used: Before this call.
        wanted_ms: What this call reserves.

    Raises:
        Problem: `quota_exceeded`, with the limit and what is used of it.
    """
    for name, limit, used_ms, ends_at in _bounds(quota, used):
        if used_ms + wanted_ms > limit * MS_PER_MINUTE:
            raise Problem(
                QUOTA_EXCEEDED,
                f"of {limit} minutes of audio a {name} {_minutes(used_ms):g} are used, and this recording takes"
                f" {_minutes(wanted_ms):g}",
                facts={
                    "period": name,
                    "limit_minutes": limit,
                    "used_minutes": _minutes(used_ms),
                    "wanted_minutes": _minutes(wanted_ms),
                    "ends_at": ends_at.isoformat(),
                },
            )


def _bounds(quota: Quota, used: Used) -> Iterator[tuple[str, int, int, datetime]]:
    if quota.daily_minutes is not None:
        yield "day", quota.daily_minutes, used.day_ms, used.day_ends_at
    if quota.monthly_minutes is not None:
        yield "month", quota.monthly_minutes, used.month_ms, used.month_ends_at


def _minutes(milliseconds: int) -> float:
    return round(milliseconds / MS_PER_MINUTE, 2)
