"""Structured logs: one JSON object a line, or coloured lines for people."""

import logging
import sys

import structlog

from models.settings import Settings

PLAIN = structlog.dev.plain_traceback
"""Rich's tracebacks print every local variable: slow, and full of what a log should not hold."""

# Clients of HTTP log whole addresses, in which there may be somebody's name or e-mail address.
_QUIET = ("httpx", "httpcore", "httpx2", "httpcore2", "stripe", "uvicorn.access")


def configure_logs(settings: Settings) -> None:
    """Send the standard library's and structlog's records through one pipeline to stderr."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_doubles,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta
    ]
    if settings.log_format == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last += [structlog.dev.ConsoleRenderer(exception_formatter=PLAIN)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_doubles(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Drop what Uvicorn and Temporal's core say a second time, for terminals and as objects."""
    event.pop("color_message", None)
    event.pop("temporal_log", None)
    return event
