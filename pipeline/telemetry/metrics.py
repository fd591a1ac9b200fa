"""Metrics for Prometheus, by its client. Each process makes one `Metrics` and passes it to whoever applies something.

Handlers decide and know nothing of it; what is counted is counted where it happens. An object that nobody serves costs
nothing but memory, so whoever is given none makes its own.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, TypeVar

import prometheus_client as prometheus
from prometheus_client.metrics import MetricWrapperBase

from pipeline.errors import Fatal, RazgovorError, Transient
from pipeline.telemetry import families
from pipeline.telemetry.families import Counter, Family, Gauge, Histogram, Summary

_OURS: Final = "razgovor"
MetricT = TypeVar("MetricT", bound=MetricWrapperBase)


class Metrics:
    """The metrics of one process. From any thread.

    Args:
        service: Whose they are, for `razgovor_build_info`.
    """

    def __init__(self, service: str = "none") -> None:
        # A second series for every counter, that no query of ours reads.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus.CollectorRegistry()
        self._lock = threading.Lock()
        self._made: dict[str, MetricWrapperBase] = {}
        prometheus.ProcessCollector(registry=self.registry)
        self.set(families.BUILD, 1, service=service, version=_version(), python=platform.python_version())

    def start_at_zero(self, *wanted: Family) -> None:
        """Show these before anything has happened, so that the first event is seen as a change.

        Families with labels show once a value of the labels is known.
        """
        for family in wanted:
            self._metric(family, _KINDS[type(family)])

    def add(self, family: Counter, amount: float = 1.0, /, **labels: str) -> None:
        """Count. The labels are exactly the family's."""
        _child(self._metric(family, prometheus.Counter), labels).inc(amount)

    def set(self, family: Gauge, value: float, /, **labels: str) -> None:
        """Say how much there is now."""
        _child(self._metric(family, prometheus.Gauge), labels).set(value)

    def replace(self, family: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
        """Say how much there is now for all values of the labels, given in the family's order; others are forgotten."""
        gauge = self._metric(family, prometheus.Gauge)
        with self._lock:  # no scrape between two of them matters: the next one is whole
            gauge.clear()
            for labels, value in values.items():
                gauge.labels(*labels).set(value)

    def observe(self, family: Histogram | Summary, value: float, /, **labels: str) -> None:
        """Count one value."""
        if isinstance(family, Histogram):
            _child(self._metric(family, prometheus.Histogram), labels).observe(value)
        else:
            _child(self._metric(family, prometheus.Summary), labels).observe(value)

    @contextmanager
    def call(self, peer: str, operation: str) -> Iterator[None]:
        """Time a call to a peer: `ok`, `transient`, or `failed` (it refused us, or something unforeseen happened).

        What a peer answers by one of our other errors (no such object) is an answer.
        """
        started_s, outcome = time.perf_counter(), "ok"
        try:
            yield
        except Exception as error:
            outcome = _outcome(error)
            raise
        finally:
            spent_s = time.perf_counter() - started_s
            self.observe(families.PEER_CALLS, spent_s, peer=peer, operation=operation, outcome=outcome)

    def value(self, family: Family, suffix: str = "", /, **labels: str) -> float | None:
        """What a scrape would show of a counter or gauge, or with `_count` or `_sum` of another; None: nothing yet."""
        return self.registry.get_sample_value(family.name + suffix, labels)

    def _metric(self, family: Family, kind: type[MetricT]) -> MetricT:
        made = self._made.get(family.name)
        if made is None:
            with self._lock:
                made = self._made.get(family.name)
                if made is None:
                    made = self._made[family.name] = _make(family, kind, self.registry)
        if not isinstance(made, kind):
            raise TypeError(f"{family.name} is no {kind.__name__}")
        return made


_KINDS: Final[dict[type[Family], type[MetricWrapperBase]]] = {
    Counter: prometheus.Counter,
    Gauge: prometheus.Gauge,
    Histogram: prometheus.Histogram,
    Summary: prometheus.Summary,
}


def _make(family: Family, kind: type[MetricT], registry: prometheus.CollectorRegistry) -> MetricT:
    more: dict[str, Any] = {"buckets": family.bounds} if isinstance(family, Histogram) else {}
    return kind(family.name, family.text, family.labels, registry=registry, **more)


def _child(metric: MetricT, labels: Mapping[str, str]) -> MetricT:
    return metric.labels(**labels) if labels else metric


def _outcome(error: Exception) -> str:
    if isinstance(error, Transient):
        return "transient"
    return "ok" if isinstance(error, RazgovorError) and not isinstance(error, Fatal) else "failed"


def _version() -> str:
    try:
        return version(_OURS)
    except PackageNotFoundError:
        return "unknown"
