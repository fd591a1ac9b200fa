"""Which problems an endpoint documents, for OpenAPI."""

from __future__ import annotations

from typing import Any

from services.ingest.problems import KINDS
from services.ingest.web.models import ProblemDocument
from services.ingest.web.problems import MEDIA_TYPE

#: Every endpoint behind an API key.
COMMON = ("unauthorized", "forbidden", "rate_limited", "internal_error", "unavailable")


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint with these problems."""
    found: dict[int | str, list[str]] = {}
    for code in codes:
        found.setdefault(KINDS[code].status, []).append(f"`{code}`: {KINDS[code].title}.")
    return {
        status: {
            "model": ProblemDocument,
            "description": " ".join(lines),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for status, lines in sorted(found.items(), key=lambda item: str(item[0]))
    }
