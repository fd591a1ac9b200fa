"""`razgovor usage`: what a month of calls was and cost, client by client. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline import service
from razgovor.commands.clients_access import DatabaseOption, database_of
from razgovor.commands.failures import explained
from razgovor.commands.options import DATA, DataOption, JsonOption
from services.ingest.admin import usage_at
from services.ingest.quotas import MS_PER_MINUTE
from services.ingest.settings import CostSettings
from services.ingest.usage import MS_PER_HOUR, Prices, Usage, month_of, total

_ALL = "all"


def _month(text: str) -> date:
    try:
        return month_of(text)
    except ValueError:
        raise typer.BadParameter("a month, as 2026-11") from None


def usage(
    *,
    month: Annotated[
        date, typer.Option(help="Of UTC, by the acceptance of calls: 2026-11.", parser=_month, metavar="YYYY-MM")
    ],
    client: Annotated[str | None, typer.Option(help="Of this client only.")] = None,
    data: DataOption = DATA,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what was used in a month: calls, minutes, failures by reason, engine hours, and what an hour of audio cost.

    Prices are settings, INGEST_COST_*: watts, electricity, amortisation, currency, a cloud's price.
    """
    with explained():
        prices = service.load(CostSettings).prices
        found = usage_at(database_of(data, database_url), month, client)
    shown = [*found, total(month, found)]
    if as_json:
        typer.echo(json.dumps([_document(one, prices) for one in shown], ensure_ascii=False, indent=2))
        return
    Console().print(_table(month, shown, prices))
    Console().print(_compared(shown[-1], prices), highlight=False)


def _document(one: Usage, prices: Prices) -> dict[str, Any]:
    per_hour, cloud = prices.per_audio_hour(one), prices.cloud_per_audio_hour
    return {
        "client": one.client_id or None,
        "month": f"{one.month:%Y-%m}",
        "calls": one.calls,
        "audio_minutes": round(one.billed_ms / MS_PER_MINUTE, 2),
        "failures": dict(one.failures),
        "engine_hours": round(one.engine_ms / MS_PER_HOUR, 4),
        "currency": prices.currency,
        "per_audio_hour": None if per_hour is None else float(per_hour),
        "cloud_per_audio_hour": None if cloud is None else float(cloud),
        "cloud_source": prices.cloud_source,
    }


def _table(month: date, shown: list[Usage], prices: Prices) -> Table:
    table = Table(title=f"{month:%Y-%m}", title_justify="left", box=box.SIMPLE)
    table.add_column("client")
    for heading in ("calls", "minutes", "failed", "engine h", f"{prices.currency} an hour of audio"):
        table.add_column(heading, justify="right")
    table.add_column("failures by reason")
    for one in shown:
        by_reason = sorted(one.failures.items(), key=lambda item: (-item[1], item[0]))
        table.add_row(
            one.client_id or _ALL,
            str(one.calls),
            f"{one.billed_ms / MS_PER_MINUTE:.1f}",
            str(sum(one.failures.values())),
            f"{one.engine_ms / MS_PER_HOUR:.2f}",
            _price(prices.per_audio_hour(one)),
            ", ".join(f"{reason} {count}" for reason, count in by_reason),
        )
    return table


def _compared(everybody: Usage, prices: Prices) -> str:
    here, cloud = prices.per_audio_hour(everybody), prices.cloud_per_audio_hour
    source = f" ({prices.cloud_source})" if prices.cloud_source else ""
    return f"an hour of audio: here {_price(here)}, in a cloud {_price(cloud)} {prices.currency}{source}"


def _price(amount: Decimal | None) -> str:
    return "?" if amount is None else f"{amount:.4f}"
