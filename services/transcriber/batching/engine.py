"""A `ports.Engine` over recognizers that serve batches. Built by `__main__`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from pipeline.errors import CallFault, Postponed
from services.transcriber.batching.calls import CallInHand
from services.transcriber.batching.courses import Ladder
from services.transcriber.batching.devices import Device
from services.transcriber.batching.dispatcher import Dispatcher
from services.transcriber.batching.watching import Nobody, Watch
from services.transcriber.domain.hearing import Hearing, Search
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.ports import Recognizer, StillWanted

#: How often whoever waits for its turn asks whether to wait on.
_LOOK_EVERY_S: Final = 0.2
#: Windows of one call in the queue, in batches for every slot: enough to fill them, and a bound for a call of hours.
_BATCHES_AHEAD: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchingRules:
    """How batches are made.

    Attributes:
        search: How every window is heard first.
        linger_s: So long a window waits for others to fill its batch, while there is other work.
    """

    search: Search = field(default_factory=Search)
    linger_s: float = 1.0


class BatchingEngine:
    """See `ports.Engine`.

    Args:
        recognizers: At least one; all of the same model, a device each. They start with the first call, or by `start`.
        rules: How batches are made.
        parameters: Of others, to stand in the provenance beside the recognizers' own.
        still_wanted: Asked about a call before its turn comes.
        watch: Is told how things stand.
    """

    def __init__(
        self,
        recognizers: Sequence[Recognizer],
        rules: BatchingRules,
        parameters: Mapping[str, str | float] | None = None,
        *,
        still_wanted: StillWanted = lambda _call: None,
        watch: Watch | None = None,
    ) -> None:
        self._recognizers = recognizers
        self._rules = rules
        self._parameters = parameters or {}
        self._still_wanted = still_wanted
        self._watch = watch or Nobody()
        self._opening = threading.Lock()
        self._dispatcher: Dispatcher | None = None
        self._closed = False

    @cached_property
    def facts(self) -> EngineFacts:
        """See `ports.Engine.facts`."""
        facts = self._recognizers[0].facts
        return replace(facts, parameters={**facts.parameters, **self._parameters})

    def start(self) -> None:
        """Load the model on every device.

        Raises:
            Fatal: It cannot be loaded.
            DeviceFailed: The device does not work.
        """
        self._opened()

    def close(self) -> None:
        """Take no more calls; calls under way are postponed, as soon as the recognizers have let go of them."""
        self._closed = True
        with self._opening:
            if self._dispatcher is not None:
                self._dispatcher.close()

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        if not windows:
            return []
        self._still_wanted(windows[0].call)
        dispatcher = self._opened()
        if hearing.language is not None and hearing.language not in self._languages:
            raise CallFault("unsupported_language", found=hearing.language)
        call = CallInHand(windows, hearing, self._ladder, self._ahead)
        dispatcher.admit(call)
        while not call.settled.wait(_LOOK_EVERY_S):
            if not call.begun:
                self._ask(call, dispatcher)
        if call.error is not None:
            raise call.error
        return call.results()

    def _ask(self, call: CallInHand, dispatcher: Dispatcher) -> None:
        try:
            self._still_wanted(call.name)
        except Postponed:
            if dispatcher.withdraw(call):
                raise

    def _opened(self) -> Dispatcher:
        with self._opening:
            if self._closed:
                raise Postponed("the worker is being closed")
            if self._dispatcher is None:
                self._dispatcher = self._open()
            return self._dispatcher

    def _open(self) -> Dispatcher:
        devices = [
            Device(number, recognizer, recognizer.capacity) for number, recognizer in enumerate(self._recognizers)
        ]
        capacities = [device.capacity for device in devices]
        self._ladder = Ladder(self._rules.search, capacities[0].axis, searches=capacities[0].searches)
        self._languages = frozenset.intersection(*(capacity.languages for capacity in capacities))
        self._ahead = _BATCHES_AHEAD * sum(capacity.slots * capacity.batch_size for capacity in capacities)
        dispatcher = Dispatcher(devices, self._ladder, self._rules.linger_s, self._watch)
        dispatcher.start()
        return dispatcher
