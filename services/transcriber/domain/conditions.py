"""Under which conditions a call was heard: the value that `services.transcriber.conditions` makes. Read by `result`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.contracts.glossary import Glossary
from pipeline.contracts.transcript import LanguageDetection, Warning_


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How a call is heard.

    Attributes:
        language: ISO 639-1.
        detection: How it was told by ear; None: it was given.
        glossary: What the engine is told beforehand; None: nothing.
        warnings: Why a glossary that was asked for is not told.
    """

    language: str
    detection: LanguageDetection | None = None
    glossary: Glossary | None = None
    warnings: tuple[Warning_, ...] = ()
