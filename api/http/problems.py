"""Every error as application/problem+json: refusals, bad input, outages, the unforeseen."""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from activities.ports import VendorBusy
from api.http.replays import Replayed
from api.http.routing import facts_of
from models.errors import (
    STATUS,
    DomainError,
    ErrorCode,
    Invalid,
    NotFound,
    PayloadTooLarge,
    ProblemItem,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    UpstreamFailed,
)

_log = structlog.get_logger(__name__)

MEDIA: Final = "application/problem+json"
EVERYWHERE: Final = (400, 401, 403, 429, 503)
_SECRETS: Final = (
    "secret",
    "password",
    "token",
    "api_key",
    "apikey",
    "credential",
    "authorization",
    "service_account",
    "private_key",
)
_SHOWN_CHARACTERS: Final = 200
_MOST_ITEMS: Final = 100
"""What is wrong with a body of a megabyte is not told in ten."""
_BY_STATUS: Final = {status: code for code, status in STATUS.items()} | {
    405: ErrorCode.VALIDATION_ERROR
}
_WHEN: Final[Mapping[int, str]] = {
    400: "The request does not validate.",
    401: "The token is missing, expired, or not from the issuer.",
    403: "The role, or the application that the token is for, does not allow the call.",
    404: "There is no such thing in this tenant.",
    405: "The path does not take this method.",
    409: "The state does not allow the call, or the idempotency key was used for another request.",
    413: "The body, or a file, is too large.",
    415: "The content type is not taken here.",
    422: "The request is well formed but cannot be carried out as it stands.",
    429: "Too many calls; Retry-After tells when to come back.",
    502: "A platform, model provider or tool failed to answer properly.",
    503: "PostgreSQL, Temporal or a needed configuration is not there.",
}


def problems(*statuses: int, why: Mapping[int, str] | None = None) -> dict[int | str, Any]:
    """Document the errors of a route: `responses=problems(404, 409, why={409: "..."})`.

    400, 401, 403, 429 and 503 are documented everywhere and need no mention.
    """
    reasons = {**{status: _WHEN[status] for status in statuses}, **(why or {})}
    return {status: documented(status, reason) for status, reason in reasons.items()}


def documented(status: int, reason: str | None = None) -> dict[str, Any]:
    """One documented error, with the schema and an example."""
    when = reason or _WHEN[status]
    code = _BY_STATUS[status]
    items: list[dict[str, Any]] = []
    if code is ErrorCode.VALIDATION_ERROR and status == 400:
        items = [
            {"location": "query.limit", "message": "Input should be at most 100", "value": 500}
        ]
    example = {
        "type": _type(code),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": when,
        "instance": "urn:request:01JZ8Q4T7M3V6X9B2C5D8F0G1H",
        "code": code,
        "errors": items,
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": when, "content": {MEDIA: {"schema": schema, "example": example}}}


def problem(
    scope: Scope, error: DomainError, *, status: int | None = None, allow: str | None = None
) -> Response:
    """Answer the error."""
    status = status or STATUS[error.code]
    request_id = scope.get("request_id", "")
    # The clients area names the path and the request; the others the request alone.
    instance = f"urn:request:{request_id}"
    if scope["path"].startswith("/api/clients"):
        instance = f"{scope['path']}#{request_id}"
    body = {
        "type": _type(error.code),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.detail,
        "instance": instance,
        "code": error.code,
        "errors": [
            {"location": item.location, "message": item.message, "value": _shown(item)}
            for item in error.items
        ],
    }
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if allow is not None:
        headers["Allow"] = allow
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA)


def unforeseen(scope: Scope, error: BaseException) -> Response:
    """Answer what nobody foresaw: a 500 that tells nothing of the inside; the log tells all."""
    if (known := _outage(error)) is not None:
        return problem(scope, known)
    _log.error("request.failed", path=scope["path"], exc_info=error)
    return problem(scope, Unavailable("Something went wrong on our side."), status=500)


def _type(code: ErrorCode) -> str:
    return f"/problems/{code.lower().replace('_', '-')}"


def _shown(item: ProblemItem) -> Any:
    """The value for the caller: none where it may carry credentials, and never a whole body."""
    if any(word in item.location.lower() for word in _SECRETS):
        return None
    value = item.value
    if isinstance(value, str):
        return value[:_SHOWN_CHARACTERS].encode(errors="replace").decode()
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**53 else str(value)[:_SHOWN_CHARACTERS]
    return value if isinstance(value, (float, bool)) else None


def _outage(error: BaseException) -> Unavailable | None:
    if isinstance(error, PoolTimeout):
        return Unavailable("The database is busy.", retry_after=1)
    lost = isinstance(error, (psycopg.OperationalError, ConnectionError)) or (
        isinstance(error, DBAPIError)
        and (error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError))
    )
    return Unavailable("The database does not answer.", retry_after=5) if lost else None


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem(request.scope, error)


async def _vendor_failed(request: Request, error: Exception) -> Response:
    """A vendor that was asked within the request did not answer: the caller may try again."""
    assert isinstance(error, VendorBusy)
    wait = None if error.retry_after is None else math.ceil(error.retry_after)
    return problem(request.scope, UpstreamFailed(str(error), retry_after=wait))


async def _replayed(_: Request, error: Exception) -> Response:
    assert isinstance(error, Replayed)
    headers = {"Idempotency-Replayed": "true"}
    return Response(error.body, error.status, headers, "application/json")


async def _database_failed(request: Request, error: Exception) -> Response:
    return unforeseen(request.scope, error)


async def _http(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: unknown paths, methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem(request.scope, NotFound("There is nothing at this address."))
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow")
        detail = f"{request.method} is not possible here."
        return problem(request.scope, Invalid(detail), status=405, allow=allow)
    if error.status_code == 413:
        return problem(request.scope, PayloadTooLarge("The body is too large."))
    if error.status_code == 400:
        location = "form" if _is_form(request) else "body"
        item = ProblemItem(location=location, message="The body cannot be read.")
        return problem(request.scope, Invalid("The body cannot be read.", item))
    return unforeseen(request.scope, error)


async def _invalid(request: Request, error: Exception) -> Response:
    """What does not validate: 404 for an id in the path, 415 for a foreign body, 400 otherwise."""
    assert isinstance(error, RequestValidationError)
    errors: Sequence[Mapping[str, Any]] = error.errors()
    if any(found["loc"][:1] == ("path",) for found in errors):
        return problem(request.scope, NotFound("There is no such thing."))
    if _is_foreign(request, errors, error.body):
        takes = "multipart/form-data" if facts_of(request).takes == "form" else "application/json"
        return problem(request.scope, UnsupportedMediaType(f"The body must be {takes}."))
    form = facts_of(request).takes == "form"
    items = [_item(found, form=form) for found in errors[:_MOST_ITEMS]]
    return problem(request.scope, Invalid("The request does not validate.", *items))


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded"))


def _is_foreign(request: Request, errors: Sequence[Mapping[str, Any]], body: Any) -> bool:
    """Whether the body is of a kind that the route does not take, and not merely wrong inside."""
    if not any(found["loc"][:1] == ("body",) for found in errors):
        return False
    if facts_of(request).takes == "form":
        return "content-type" in request.headers and not _is_form(request)
    return isinstance(body, bytes) and bool(body)


def _item(found: Mapping[str, Any], *, form: bool) -> ProblemItem:
    place, *path = found["loc"]
    if found["type"] == "json_invalid" and not form:
        reason = found.get("ctx", {}).get("error", "")
        return ProblemItem(location="body", message=f"The body is not JSON: {reason}")
    where = "form" if form and place == "body" else str(place)
    if where in ("query", "header"):
        path = path[:1]
    value = None if found["type"] == "missing" else found.get("input")
    location = ".".join([where, *map(str, path)])
    return ProblemItem(location=location, message=str(found["msg"]), value=value)


def install(app: FastAPI) -> None:
    """Register the answers with the application."""
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(VendorBusy, _vendor_failed)
    app.add_exception_handler(Replayed, _replayed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _database_failed)
    app.add_exception_handler(psycopg.Error, _database_failed)
