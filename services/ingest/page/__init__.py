"""The page: what a browser is sent. HTML, CSS, ES modules as we wrote them, one library as npm gave it, texts in two languages.

Data only; `services.ingest.web.page` serves it, `docs/page.md` says what it does.
"""
