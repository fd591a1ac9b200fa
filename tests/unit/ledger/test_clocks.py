"""Whatever a worker's clock says, the bill is that of the acceptance: of PostgreSQL's clock, carried in every event."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.testing import samples
from services.ledger.effects import PostUsage
from services.ledger.handler import Arrival, handle

#: A second before the month ends: an hour either way is another period.
LAST_SECOND = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)


def usage(clock_is_off: timedelta) -> list[PostUsage]:
    event = samples.job_status(accepted_at=LAST_SECOND)
    arrival = Arrival(event.TOPIC, 0, 0, LAST_SECOND + clock_is_off)
    return [one for one in handle(arrival, event, bill_reprocess=True).effects if isinstance(one, PostUsage)]


@pytest.mark.parametrize("hours", [-1, 1, -24 * 40, 24 * 40])
def test_a_clock_that_is_off_moves_no_bill(hours: int) -> None:
    (right,) = usage(timedelta(0))
    assert right.period == date(2026, 11, 1)
    assert usage(timedelta(hours=hours)) == [right]
