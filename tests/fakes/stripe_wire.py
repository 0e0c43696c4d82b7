"""How Stripe writes its answers and errors, and reads what it is asked."""

import re
from collections.abc import Iterable
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

Object = dict[str, Any]

_DEEPEST: Final = 4
_CLAUSE: Final = re.compile(r'(name|email)~"((?:[^"\\]|\\.)*)"(?: OR |$)')


class Refused(Exception):
    def __init__(self, status: int, kind: str, message: str, code: str = "") -> None:
        super().__init__(message)
        self.response = refusal(status, kind, message, code=code)


def refusal(
    status: int,
    kind: str = "api_error",
    message: str = "An unknown error occurred.",
    *,
    headers: dict[str, str] | None = None,
    **more: str,
) -> Response:
    """An error as Stripe writes it."""
    return written({"error": {"type": kind, "message": message, **more}}, status, headers)


def html(status: int = 200) -> Response:
    """What a proxy on the way says."""
    return Response("<html><body>Gateway</body></html>", status, media_type="text/html")


def written(value: Object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    more = {"request-id": "req_1", **(headers or {})}
    return Response(orjson.dumps(value), status, more, "application/json")


def check(query: Object, names: Iterable[str]) -> None:
    for name in query:
        if name not in set(names):
            raise Refused(400, "invalid_request_error", f"Received unknown parameter: {name}")
    for path in query.get("expand", []):
        if path.count(".") + 1 > _DEEPEST:
            message = f"You cannot expand more than {_DEEPEST} levels of a property ({path})."
            raise Refused(400, "invalid_request_error", message)


def below_data(expand: list[str]) -> list[str]:
    for path in expand:
        if not path.startswith("data."):
            raise Refused(
                400, "invalid_request_error", f"This property cannot be expanded ({path})"
            )
    return [path.removeprefix("data.") for path in expand]


def clauses_of(query: str) -> list[tuple[str, str]]:
    """The parts of a search: a member, and a text within it."""
    clauses, at = [], 0
    while at < len(query):
        found = _CLAUSE.match(query, at)
        if found is None:
            message = f"We were unable to parse the query ({query[at:]})"
            raise Refused(400, "invalid_request_error", message)
        text = re.sub(r"\\(.)", r"\1", found[2])
        if len(text) < 3:
            raise Refused(400, "invalid_request_error", "Substrings need three characters")
        clauses.append((found[1], text.casefold()))
        at = found.end()
    return clauses


def query_of(request: Request) -> Object:
    """Parameters as Stripe's libraries write them: a[b]=c, and lists as a[0]=b."""
    query: Object = {}
    for name, value in request.query_params.multi_items():
        outer, _, inner = name.partition("[")
        inner = inner.rstrip("]")
        if not inner and not name.endswith("]"):
            query[outer] = value
        elif inner.isdigit() or not inner:
            query.setdefault(outer, []).append(value)
        else:
            query.setdefault(outer, {})[inner] = value
    return query
