"""405 for every method that an address does not take, with all that it takes in `Allow`. Mounted by `app`, before the rest.

Left to themselves the routers name the methods of an address's first route alone, and take `/v1/jobs/batch`, asked for by a
method that it does not take, for the job `batch`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class _Address:
    """Where routes are, and the methods that they take."""

    path: str
    pattern: re.Pattern[str]
    methods: set[str] = field(default_factory=set)


class OtherMethods(BaseRoute):
    """A route for the methods that no route of an address takes.

    Args:
        routers: Whose routes there are.
    """

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._plain: dict[str, _Address] = {}
        self._patterns: dict[str, _Address] = {}
        for route in (route for router in routers for route in router.routes):
            if isinstance(route, Route):
                known = self._patterns if route.param_convertors else self._plain
                address = known.setdefault(route.path, _Address(route.path, route.path_regex))
                address.methods.update(route.methods or ())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the address is one of ours and takes another method."""
        address = self._find(scope["path"]) if scope["type"] == "http" else None
        if address is None or scope["method"] in address.methods:
            return Match.NONE, {}
        return Match.FULL, {"route": address}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is read or sent
        """Refuse.

        Raises:
            HTTPException: 405.
        """
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(scope["route"].methods))})

    def _find(self, path: str) -> _Address | None:
        """The address that a path is; one without parameters comes before those with some."""
        found = self._plain.get(path)
        return found or next((address for address in self._patterns.values() if address.pattern.match(path)), None)
