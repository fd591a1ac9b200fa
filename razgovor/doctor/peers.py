"""Broker, database and store: the ones that the settings name, or the embedded ones. Called by `examination`.

How a peer is asked comes in as a callable that returns a few words about it, or raises RazgovorError (`probes` has the real
ones). Addresses may hold passwords: findings name the variable, never its value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

from pipeline.errors import RazgovorError
from razgovor.doctor.finding import Finding, missing, ok, warning

Ask: TypeAlias = Callable[[str], str]
AskEmbedded: TypeAlias = Callable[[], str]

_REINSTALL: Final = "Install again with the one-machine extra: `razgovor[local]`."


def check_brokers(brokers: Mapping[str, tuple[str, ...]], ask: Ask, ask_embedded: AskEmbedded) -> tuple[Finding, ...]:
    """Every broker of the settings, or the embedded mock."""
    if not brokers:
        return (_embedded("broker", ask_embedded, "mock for trials, one machine", _REINSTALL),)
    return tuple(
        _named("broker", variables, address, ask, "Start Kafka or correct the address; look at TLS and SASL settings.")
        for address, variables in brokers.items()
    )


def check_databases(
    databases: Mapping[str, tuple[str, ...]], ask: Ask, ask_embedded: AskEmbedded
) -> tuple[Finding, ...]:
    """Every database of the settings, or the embedded PostgreSQL."""
    if not databases:
        advice = f"{_REINSTALL} Or name a PostgreSQL in DATABASE_URL."
        return (_embedded("database", ask_embedded, "started and stopped once", advice),)
    return tuple(
        _named("database", variables, address, ask, "Start PostgreSQL or correct address, role and password.")
        for address, variables in databases.items()
    )


def check_stores(stores: Mapping[str, tuple[str, ...]], data: Path, ask: Ask, ask_folder: Ask) -> tuple[Finding, ...]:
    """Every store of the settings, or the folder that the one-machine stack would take.

    Args:
        stores: URLs and the variables that name them.
        data: The folder for the one-machine stack.
        ask: Proves that a folder (its path) serves as a store.
        ask_folder: Proves that a folder (its path) can be written, and leaves nothing in it.
    """
    if not stores:
        return (_folder("one-machine stack", data, ask_folder, ask_folder),)
    return tuple(_store(variables, url, ask, ask_folder) for url, variables in stores.items())


def _store(variables: tuple[str, ...], url: str, ask: Ask, ask_folder: Ask) -> Finding:
    parts = urlsplit(url)
    name = ", ".join(variables)
    if parts.scheme != "file":
        return warning("store", f"{name}: not a file:// URL, not looked at", "Check that store with its own tools.")
    return _folder(name, Path(unquote(parts.path)), ask, ask_folder)


def _folder(name: str, folder: Path, ask: Ask, ask_folder: Ask) -> Finding:
    advice = f"Let this user write to {folder}, or choose another folder."
    if folder.is_dir():
        return _asked("store", name, lambda: ask(str(folder)), advice)
    parent = next(path for path in folder.absolute().parents if path.exists())
    return _asked("store", name, lambda: f"{folder} is not there yet; {ask_folder(str(parent))}", advice)


def _named(subject: str, variables: tuple[str, ...], address: str, ask: Ask, advice: str) -> Finding:
    return _asked(subject, ", ".join(variables), lambda: ask(address), advice)


def _embedded(subject: str, ask: AskEmbedded, kind: str, advice: str) -> Finding:
    return _asked(subject, f"embedded, {kind}", ask, advice)


def _asked(subject: str, name: str, ask: AskEmbedded, advice: str) -> Finding:
    try:
        answer = ask()
    except (RazgovorError, OSError) as error:
        first_line = next(iter(str(error).splitlines()), type(error).__name__)
        return missing(subject, f"{name}: {first_line}", advice)
    return ok(subject, f"{name}: {answer}")
