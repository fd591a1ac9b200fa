"""What commands say of the page: where it is, and a link that signs in once. Called by `demo` and `up`."""

from __future__ import annotations

from rich.console import Console

from razgovor.operator import operator
from razgovor.stack.stack import Stack
from razgovor.texts import Locale, text
from razgovor.transcription.run import CLIENT
from services.ingest.clients import Client
from services.ingest.page_links import link_at


def link_into(stack: Stack) -> str:
    """A one-time link into the page of a stack that runs, as the client whose calls its own commands carry.

    Raises:
        RazgovorError: The database does not answer.
    """
    owner = Client(client_id=CLIENT, name=CLIENT)
    return link_at(stack.database_urls.ingest, owner, stack.ingest_url, by=operator())


def told_page(url: str, link: str | None, console: Console, locale: Locale) -> None:
    """Say where the page is, and how one gets in."""
    console.print(text("page", locale, url=url), markup=False, soft_wrap=True)
    if link is not None:
        console.print(text("page_link", locale, link=link), markup=False, soft_wrap=True, style="bold")
