"""The figures and every word's fate as one HTML file that needs nothing else. Called by `razgovor eval`.

Texts of calls are strangers' text: the template escapes all of it, and a policy in the page forbids scripts and requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from razgovor.evaluation.measures import EngineResult, percentile
from razgovor.evaluation.tables import channel_name, notes
from razgovor.texts import Locale, text

_TEMPLATE: Final = "report.html.jinja"
#: From these rates on a bar is amber, then red.
_FAIR: Final = 0.15
_BAD: Final = 0.3


def render(results: Sequence[EngineResult], locale: Locale) -> str:
    """The report over engines, the first one's recordings in the order given."""
    environment = Environment(
        loader=PackageLoader("razgovor.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "seconds": _seconds, "grade": _grade}
    return environment.get_template(_TEMPLATE).render(
        results=results,
        locale=locale,
        t=partial(_text, locale),
        leads={result.name: tuple(_leads(result, locale)) for result in results},
        notes=lambda call: ", ".join(notes(call, locale)),
        channel_name=channel_name,
        percentile=percentile,
    )


def _text(locale: Locale, name: str, **values: str | float) -> str:
    return text(f"eval_{name}", locale, **values)


def _leads(result: EngineResult, locale: Locale) -> Iterator[str]:
    """The figures in sentences."""
    errors = result.errors
    if errors.words:
        right = round(100 * errors.right / errors.words)
        yield text("eval_lead", locale, right=right, errors=errors.errors, words=errors.words, calls=len(result.calls))
    if result.silence_s:
        minutes = f"{result.silence_s / 60:.1f}"
        name = "eval_silent_bad" if result.silence_words else "eval_silent_good"
        yield text(name, locale, minutes=minutes, count=result.silence_words)
    if result.start_error_s is not None:
        yield text("eval_start_lead", locale, seconds=f"{result.start_error_s:.2f}")


def _percent(rate: float) -> str:
    return f"{rate:.1%}"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


def _grade(rate: float) -> str:
    if rate >= _BAD:
        return "bad"
    return "fair" if rate >= _FAIR else "good"
