"""Which fault befalls a request: drawn with a seed, so that a run can be repeated as far as requests come in order."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence

from razgovor.chaos.proxies.faults import HttpFault, HttpRule


class Draw:
    """Draws faults by rules; the first rule that matches and is drawn decides."""

    def __init__(self, rules: Sequence[HttpRule], seed: int) -> None:
        self._rules = [(rule, re.compile(rule.target)) for rule in rules]
        self._random = random.Random(seed)  # noqa: S311  faults, no secrets
        self._matched: Counter[int] = Counter()
        self._befallen: Counter[int] = Counter()

    def fault(self, method: str, target: str) -> HttpFault | None:
        """The fault of this request, if any."""
        for number, (rule, pattern) in enumerate(self._rules):
            if rule.methods and method not in rule.methods:
                continue
            if pattern.search(target) and self._befalls(number, rule):
                return rule.fault
        return None

    def _befalls(self, number: int, rule: HttpRule) -> bool:
        self._matched[number] += 1
        if self._matched[number] <= rule.skip or (rule.times is not None and self._befallen[number] >= rule.times):
            return False
        befalls = rule.share >= 1 or self._random.random() < rule.share
        self._befallen[number] += befalls
        return befalls
