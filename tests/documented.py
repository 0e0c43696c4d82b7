"""The API's own document, written once for all modules that read it: it takes seconds."""

from typing import Any, Final

from api.openapi import document

DOCUMENT: Final[dict[str, Any]] = document()
