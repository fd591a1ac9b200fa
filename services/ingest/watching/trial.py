"""What a pattern reads out of names: an operator's trial before anything is watched. Called by `razgovor watch test`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.contracts.call_info import CHAIN_ID
from services.ingest.watching.builtin import BUILTIN
from services.ingest.watching.configuration import Configuration, ConfigurationFault, configuration, zone
from services.ingest.watching.oktell import MAX_BYTES, Journal, journal
from services.ingest.watching.patterns import Patterns, compiled
from services.ingest.watching.readings import LINES, Reading, upload_fields

LOCAL_TIME: Final = "local_time"
COLUMNS: Final = (
    "call_id", "started_at", LOCAL_TIME, "direction", "operator", "customer_number", "queue", LINES, CHAIN_ID, "metadata",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """One name, and what it says by the name of the field; None: it is not of the pattern."""

    file: str
    reads: Mapping[str, str] | None


def patterns_named(text: str, watch_file: Path | None) -> Patterns:
    """A built-in pattern, one of the file, or the text itself where it has fields.

    Raises:
        PatternError: There is none of this name, or it cannot be understood.
        ConfigurationFault: The file cannot be used.
    """
    if "{" in text:
        return Patterns("given", (compiled(text),))
    if text in BUILTIN:
        return BUILTIN[text]
    return (Configuration() if watch_file is None else configuration(watch_file)).read_with(text)


def tried(
    patterns: Patterns, files: Iterable[str], *, zone_name: str | None, journal_file: Path | None
) -> Iterator[Tried]:
    """What each name says, with what the journal adds.

    Raises:
        ValueError: There is no such zone, or the journal cannot be read.
        ConfigurationFault: The journal is not there.
    """
    known = None if zone_name is None else zone(zone_name)
    connections = Journal() if journal_file is None else journal(_read(journal_file))
    for file in files:
        reading = patterns.read(file)
        if reading is None:
            yield Tried(file, None)
            continue
        connection = connections.find(reading)
        joined = reading if connection is None else connection.joined(reading)
        yield Tried(file, _shown(joined, upload_fields(joined, known)))


def _shown(reading: Reading, texts: Mapping[str, str]) -> dict[str, str]:
    shown = dict(texts)
    metadata = json.loads(shown.pop("metadata", "{}"))
    shown |= {name: metadata.pop(name) for name in (LINES, CHAIN_ID) if name in metadata}
    if metadata:
        shown["metadata"] = json.dumps(metadata, ensure_ascii=False)
    if reading.local_time is not None and "started_at" not in shown:
        shown[LOCAL_TIME] = reading.local_time.isoformat(sep=" ")
    return shown


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationFault(f"{path}: {error.strerror}") from None
