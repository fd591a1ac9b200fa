"""What an answer means for a delivery: taken, again, refused, or over. Pure; the law of the pauses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

PENDING: Final = "pending"
DELIVERED: Final = "delivered"
REFUSED: Final = "refused"
EXPIRED: Final = "expired"
STATUSES: Final = (PENDING, DELIVERED, REFUSED, EXPIRED)

#: A delivery is tried for so long.
LASTS: Final = timedelta(hours=24)
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 7200.0
_GROWTH: Final = 3.0
#: A pause is this share longer or shorter, so that what failed together does not come again together.
JITTER: Final = 0.2
_OK: Final = range(200, 300)
_SERVER_ERRORS: Final = range(500, 600)
_ASK_AGAIN: Final = frozenset({408, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of an attempt.

    Attributes:
        status_code: HTTP's; None: there was no answer.
        fault: Why there was none, or why nothing was sent.
        blocked: Nothing was sent, and nothing is to be: the address is not allowed, or there is none any more.
        retry_after_s: What the receiver asks to wait.
    """

    status_code: int | None = None
    fault: str | None = None
    blocked: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the delivery: its status, and when it is due again if that is `pending`."""

    status: str
    pause_s: float = 0.0


def judge(answered: Answered, attempt: int, left_s: float, share: float) -> Verdict:
    """Decide.

    Args:
        answered: What came of the attempt.
        attempt: Its number, from 1.
        left_s: How long the delivery is tried yet.
        share: Anything from 0 to 1: a random number.
    """
    code = answered.status_code
    if code is not None and code in _OK:
        return Verdict(DELIVERED)
    if answered.blocked or (code is not None and code not in _ASK_AGAIN and code not in _SERVER_ERRORS):
        return Verdict(REFUSED)
    asked_s = answered.retry_after_s or 0.0
    if left_s <= 0 or asked_s > left_s:
        return Verdict(EXPIRED)
    return Verdict(PENDING, max(asked_s, min(pause_s(attempt, share), left_s)))


def pause_s(attempt: int, share: float) -> float:
    """How long to wait after so many attempts: 5 s, three times as long each time, up to two hours, a fifth more or less."""
    wanted_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * _GROWTH ** min(attempt - 1, 20))
    return wanted_s * (1 - JITTER + 2 * JITTER * share)


def retry_after_s(text: str | None, now: datetime) -> float | None:
    """What a Retry-After header asks for, in seconds or as a date; None: nothing that can be read."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
