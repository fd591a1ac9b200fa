"""Run every check and give the findings in the order in which they are shown. Called by `razgovor.commands.doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.errors import Fatal
from razgovor.doctor import machine, peers, probes
from razgovor.doctor.addresses import Addresses
from razgovor.doctor.finding import Finding, missing, ok, warning
from razgovor.doctor.peers import Ask, AskEmbedded
from services.transcriber import models


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """How peers are asked; each returns a few words or raises RazgovorError."""

    broker: Ask = probes.ask_broker
    mock_broker: AskEmbedded = probes.ask_mock_broker
    database: Ask = probes.ask_database
    embedded_database: AskEmbedded = probes.ask_embedded_database
    store: Ask = probes.ask_store
    folder: Ask = probes.ask_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is examined: the settings' addresses, the cache and the one-machine stack's folder."""

    addresses: Addresses
    cache: Path
    data: Path


def examine(subject: Subject, ask: Probes) -> Iterator[Finding]:
    """Look at everything; findings come one by one, because some take seconds."""
    yield machine.check_python()
    yield machine.check_packages()
    yield machine.check_clock(
        datetime.now().astimezone(), machine.measure_newest_of_ours(), machine.measure_file_skew_s()
    )
    yield machine.check_processor(machine.usable_cores())
    yield machine.check_accelerator(machine.measure_accelerators())
    model, model_bytes, missing_bytes = check_model(subject.addresses.model, subject.cache)
    yield machine.check_memory(machine.measure_available_memory_bytes(), model_bytes)
    yield machine.check_disk("models", subject.cache, machine.measure_free_bytes(subject.cache), missing_bytes)
    yield machine.check_disk("data", subject.data, machine.measure_free_bytes(subject.data))
    yield model
    yield from peers.check_brokers(subject.addresses.brokers, ask.broker, ask.mock_broker)
    yield from peers.check_databases(subject.addresses.databases, ask.database, ask.embedded_database)
    yield from peers.check_stores(subject.addresses.stores, subject.data, ask.store, ask.folder)


def check_model(name_or_folder: str, cache: Path) -> tuple[Finding, int, int]:
    """Whether the model lies in the cache and is whole; fetches nothing.

    Returns:
        The finding, the bytes of the model's files, and how many of them are still to be brought.
    """
    try:
        model = models.resolve(name_or_folder, cache=cache, may_fetch=False)
    except models.ModelDamaged as error:
        return missing("model", str(error), "Remove the folder and get the model again."), 0, 0
    except Fatal as error:
        listings = {listing.name: listing for listing in models.list_models(cache=cache)}
        canonical = models.canonical_name(name_or_folder)
        if canonical not in listings:
            return missing("model", str(error), "Name a model of `razgovor models list`, or a folder with one."), 0, 0
        size_bytes = listings[canonical].size_bytes
        advice = f"`razgovor models get {canonical}` brings it; without a network fill {listings[canonical].folder}."
        return missing("model", f"{canonical} is not in the cache", advice), size_bytes, size_bytes
    if not machine.is_installed(model.format.engine_package):
        advice = "Install it: `pip install --no-deps --require-hashes -r requirements/onnx.txt`, or another model."
        return (
            missing("model", f"{model.name} needs {model.format.engine_package}, which is not installed", advice),
            0,
            0,
        )
    found = f"{model.name} in {model.folder}, weights sha256 {model.sha256[:12]}"
    if model.pinned:
        return ok("model", f"{found}, as pinned in the catalogue"), model.size_bytes, 0
    if model.source == "folder":
        advice = "Nobody here knows this file's hash; compare it with where it came from."
        return warning("model", f"{found}, filled by hand", advice), model.size_bytes, 0
    return ok("model", f"{found}, as recorded when it was got"), model.size_bytes, 0
