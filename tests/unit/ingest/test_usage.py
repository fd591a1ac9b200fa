from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.settings import CostSettings
from services.ingest.usage import Prices, Usage, total
from tests.unit.ingest.rig import Rig

MONTH = date(2026, 11, 1)
HOUR_MS = 3_600_000


def used(client_id: str = "acme", **changes: object) -> Usage:
    fields: dict[str, object] = {
        "calls": 10,
        "billed_ms": 600_000,
        "audio_ms": 10 * HOUR_MS,
        "engine_ms": HOUR_MS,
        "failures": {"no_audio": 2},
        **changes,
    }
    return Usage(client_id=client_id, month=MONTH, **fields)  # type: ignore[arg-type]  # the names are Usage's


def test_an_hour_of_audio_costs_power_and_amortisation_of_the_engines_share() -> None:
    prices = Prices(watts=500, per_kwh=Decimal("0.2"), amortisation_per_hour=Decimal("0.4"))
    assert prices.per_audio_hour(used()) == Decimal("0.0500")


@pytest.mark.parametrize("prices", [Prices(), Prices(watts=500), Prices(per_kwh=Decimal(1))])
def test_without_prices_nobody_knows_the_cost(prices: Prices) -> None:
    assert prices.per_audio_hour(used()) is None


def test_where_nothing_was_transcribed_an_hour_has_no_cost() -> None:
    assert Prices(amortisation_per_hour=Decimal(1)).per_audio_hour(used(audio_ms=0, engine_ms=0)) is None


@given(
    st.lists(
        st.builds(
            lambda calls, no_audio: used(calls=calls, failures={"no_audio": no_audio}),
            st.integers(0, 99),
            st.integers(0, 9),
        )
    )
)
def test_all_together_are_the_sum(usages: list[Usage]) -> None:
    everybody = total(MONTH, usages)
    assert everybody.calls == sum(usage.calls for usage in usages)
    assert everybody.failures.get("no_audio", 0) == sum(usage.failures["no_audio"] for usage in usages)


def test_the_clouds_price_stands_in_its_own_currency_only() -> None:
    assert CostSettings(currency="USD").prices.cloud_per_audio_hour == Decimal("0.36")
    assert CostSettings(currency="RUB").prices.cloud_per_audio_hour is None
    own = CostSettings(currency="RUB", cloud_per_audio_hour=Decimal(36), cloud_source="a tariff").prices
    assert (own.cloud_per_audio_hour, own.cloud_source) == (Decimal(36), "a tariff")


def test_a_client_sees_its_own_month() -> None:
    rig = Rig(options={"prices": Prices(amortisation_per_hour=Decimal("0.5"), cloud_per_audio_hour=Decimal("0.36"))})
    rig.usage.usages += [used(), used("other", calls=99)]
    answer = rig.http().get("/v1/usage", params={"month": "2026-11"})
    assert answer.json() == {
        "month": "2026-11",
        "calls": 10,
        "audio_minutes": 10.0,
        "failures": {"no_audio": 2},
        "engine_hours": 1.0,
        "cost": {"currency": "USD", "per_audio_hour": 0.05, "cloud_per_audio_hour": 0.36, "cloud_source": None},
    }


def test_a_month_without_calls_is_all_zero() -> None:
    answer = Rig().http().get("/v1/usage", params={"month": "2026-10"})
    assert (answer.status_code, answer.json()["calls"], answer.json()["failures"]) == (200, 0, {})


@pytest.mark.parametrize("month", ["2026-13", "2026", "november", "1969-01", "2026-1", ""])
def test_what_is_no_month_is_refused(month: str) -> None:
    answer = Rig().http().get("/v1/usage", params={"month": month})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
