"""The OpenAPI document: what the routes declare, with the grammar that all of them share."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.http.problems import EVERYWHERE, documented
from api.http.routing import RouteFacts, Routing
from api.http.wire import Problem

_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the issuer with the claims sub, tenant, role and appAccess.",
    }
}
_DESCRIPTION: Final = """\
Throughline turns marketing briefs into approved, finished work.

Errors are `application/problem+json`. Lists are paged by cursors. POSTs that take an
`Idempotency-Key` may be sent again within 24 hours without doing the work again.
"""


def document(app: FastAPI | None = None) -> dict[str, Any]:
    """The document of the API; it needs neither a database nor Temporal."""
    if app is None:
        # Imported here: the application serves this document, and so knows this module.
        from api.app import described

        app = described()
    found = get_openapi(
        title="Throughline", version="1.0.0", description=_DESCRIPTION, routes=app.routes
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas |= _schemas(Problem)
    found["components"]["securitySchemes"] = _SCHEMES
    by_operation = _facts(app)
    for path, item in found["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                _complete(operation, by_operation.get((method, path)))
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return found


def _facts(app: FastAPI) -> dict[tuple[str, str], RouteFacts]:
    routing = Routing(app)
    return {
        (method.lower(), context.path_format or ""): routing.of(context.endpoint)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
    }


def _schemas(*models: type[BaseModel]) -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    found: dict[str, Any] = definitions["$defs"]
    return found


def _complete(operation: dict[str, Any], facts: RouteFacts | None) -> None:
    """Add what the route need not say: security, and the errors that can come from anywhere."""
    responses = operation["responses"]
    if _is_frameworks(responses.get("422", {})):
        del responses["422"]
    if facts is None or not facts.levels:
        return
    operation["security"] = [{"bearer": []}]
    for status in EVERYWHERE:
        responses.setdefault(str(status), documented(status))
    operation["responses"] = dict(sorted(responses.items()))


def _is_frameworks(response: dict[str, Any]) -> bool:
    """Whether this is FastAPI's own 422, which never happens here: bad input is 400."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).endswith("/HTTPValidationError")
