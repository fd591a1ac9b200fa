"""JSON lines on standard error. `configure` is called once by `pipeline.service.run`; everybody else calls `get`."""

from __future__ import annotations

import logging
import sys

import structlog

Logger = structlog.stdlib.BoundLogger


def configure(service: str, level: str) -> Logger:
    """Send our logs, and those of the libraries, to standard error as JSON lines with time, level and service."""

    def name_service(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        # Not a context variable: those do not reach worker threads.
        return {"service": service, **event}

    shared: list[structlog.typing.Processor] = [
        name_service,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    return get(service)


def get(name: str) -> Logger:
    """A logger; bind ids to it, never content."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
