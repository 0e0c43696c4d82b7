"""What a route asks for, read once from its declaration: query names, rights, database, template.

The grammar's rules depend on it. A cursor is bound to the filters that the route knows, an unknown
filter is refused, and a request holds a connection only where the handler declares one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Form, Query
from fastapi.routing import iter_route_contexts
from starlette.requests import HTTPConnection

SESSION = "throughline.session"
"""Where the scope keeps the request's open transaction."""
HOLDS_DATABASE = "holds_database"
HOLDS_KEY = "holds_idempotency_key"
HOLDS_PAGE = "holds_page"
_MARK = "_throughline_mark"
_LIMIT = "_throughline_body_limit"


def marks(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a dependency, so that routes which declare it are known by it."""

    def mark(dependency: Callable[..., Any]) -> Callable[..., Any]:
        setattr(dependency, _MARK, name)
        return dependency

    return mark


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFacts:
    """One route as declared; `levels` are its rights, callables that refuse a principal."""

    template: str
    query_names: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    levels: tuple[Any, ...] = ()
    takes: str | None = None
    """json, form, or nothing."""

    @property
    def holds_database(self) -> bool:
        return HOLDS_DATABASE in self.marks

    @property
    def idempotent(self) -> bool:
        return HOLDS_KEY in self.marks

    @property
    def is_list(self) -> bool:
        return HOLDS_PAGE in self.marks


_UNKNOWN = RouteFacts(template="(none)")


@dataclass(slots=True)
class Routing:
    """The facts of every route of an application, by endpoint."""

    app: FastAPI
    facts: dict[Any, RouteFacts] = field(default_factory=dict)

    def of(self, endpoint: Any) -> RouteFacts:
        """The facts of the endpoint's route."""
        known = self.facts.get(endpoint)
        if known is None and endpoint is not None:
            self.facts |= dict(_read(self.app))
            known = self.facts.setdefault(endpoint, _UNKNOWN)
        return known or _UNKNOWN


def facts_of(request: HTTPConnection) -> RouteFacts:
    """The facts of the route that the request has reached."""
    routing: Routing = request.app.state.routing
    return routing.of(request.scope.get("endpoint"))


def _read(app: FastAPI) -> Iterator[tuple[Any, RouteFacts]]:
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        template = context.path_format or context.path or _UNKNOWN.template
        if dependant is None:
            yield context.endpoint, RouteFacts(template=template)
            continue
        calls = [call for call in _calls(dependant) if call is not None]
        facts = RouteFacts(
            template=template,
            query_names=frozenset(
                parameter.alias
                for parameter in get_flat_params(dependant)
                if isinstance(parameter.field_info, Query)
            ),
            marks=frozenset(mark for call in calls if (mark := getattr(call, _MARK, None))),
            levels=tuple(call for call in calls if hasattr(call, "refuse")),
            takes=_takes(getattr(context, "body_field", None)),
        )
        yield context.endpoint, facts


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _takes(body: Any) -> str | None:
    if body is None:
        return None
    return "form" if isinstance(body.field_info, Form) else "json"


def body_limit(size: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a handler take bodies of up to `size` bytes, uploads for instance."""

    def limit(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        setattr(endpoint, _LIMIT, size)
        return endpoint

    return limit


def body_limit_of(endpoint: Any, default: int) -> int:
    """How large a body the handler takes."""
    size: int = getattr(endpoint, _LIMIT, default)
    return size
