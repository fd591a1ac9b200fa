"""The page's modules by themselves, called in the browser: what is pure of them is tested by its laws."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


def each(page: Page, module: str, function: str, values: list[Any]) -> list[Any]:
    """What `(module, value) => ...` gives for each value."""
    source = f"""async ([module, values]) => {{
      const all = await import(`/page/js/${{module}}.js`);
      return values.map((value) => ({function})(all, value));
    }}"""
    return list(page.evaluate(source, [module, values]))
