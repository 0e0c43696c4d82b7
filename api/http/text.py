"""What text PostgreSQL cannot keep is refused before anything is done: NUL and lone surrogates.

In JSON both can only hide behind an escape, so that clean bodies cost one search of their bytes.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from fastapi import Request
from starlette.datastructures import FormData

from models.errors import Invalid, NotFound, ProblemItem

_ESCAPES = (b"\\u0000", b"\\ud", b"\\uD")


def refuse_unstorable_text(request: Request) -> None:
    """Refuse a path, query, header or body with text that cannot be stored."""
    if "\x00" in request.scope["path"]:
        raise NotFound("There is nothing at this address.")
    items = [*_in_query(request), *_in_body(request)]
    if items:
        raise Invalid("Text must not contain NUL or lone surrogates.", *items)


def _in_query(request: Request) -> Iterator[ProblemItem]:
    query: bytes = request.scope["query_string"]
    if b"%00" in query:
        for name, value in request.query_params.multi_items():
            if "\x00" in name or "\x00" in value:
                yield _item(f"query.{name}")
    elif b"%" in query and "\ufffd" in unquote(query.decode("ascii", "replace")):
        yield ProblemItem(location="query", message="Not UTF-8")


def _in_body(request: Request) -> Iterator[ProblemItem]:
    form: FormData | None = getattr(request, "_form", None)
    if form is not None:
        for name, value in form.multi_items():
            shown = value if isinstance(value, str) else value.filename or ""
            if _is_bad(name) or _is_bad(shown):
                yield _item(f"form.{name}")
    body: bytes = getattr(request, "_body", b"")
    if body and any(escape in body for escape in _ESCAPES):
        yield from _within(getattr(request, "_json", None), "body")


def _within(value: Any, location: str) -> Iterator[ProblemItem]:
    if isinstance(value, str):
        if _is_bad(value):
            yield _item(location)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _within(item, f"{location}.{position}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if _is_bad(name):
                yield _item(location)
            yield from _within(item, f"{location}.{name}")


def _is_bad(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _item(location: str) -> ProblemItem:
    clean = location.replace("\x00", "\ufffd").encode(errors="replace").decode()
    return ProblemItem(location=clean, message="Contains NUL or a lone surrogate")
