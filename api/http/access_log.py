"""One line for each request, written without the detour through the logging machinery.

As JSON it is put together here, since it is written for every request; for people it goes the way
of all other lines.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from api.http.wire import moment
from models.settings import Settings


class AccessLog:
    """Writes when the settings' level asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._is_on = logging.getLevelNamesMapping()[settings.log_level.upper()] <= logging.INFO
        self._is_json = settings.log_format == "json"
        self._log = structlog.get_logger("api.access")

    def write(self, **line: Any) -> None:
        """Note an answered request."""
        if not self._is_on:
            return
        if not self._is_json:
            self._log.info("request", **line)
            return
        whole = {
            "event": "request",
            "level": "info",
            "logger": "api.access",
            "timestamp": moment(datetime.now(UTC)),
        } | line
        sys.stderr.buffer.write(orjson.dumps(whole, default=str) + b"\n")
        sys.stderr.buffer.flush()
