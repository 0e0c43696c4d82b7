"""The short way to a list: everything that FastAPI finds out on each request, found out once.

A request for a list spends more time on finding its route and on reading what the handler declares
than in the handler. A list has a fixed address, reads nothing but its query, and answers by itself,
so that a table of addresses and a plan of the calls do the same. The handlers, their documentation
and their errors are FastAPI's; whatever is not as simple as that takes FastAPI's own way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from inspect import iscoroutinefunction, signature
from typing import Any

from fastapi import FastAPI, Request
from fastapi._compat import ModelField, field_annotation_is_sequence
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.http.routing import Routing


class Lists(BaseRoute):
    """Stands before all routes of the application, and answers for those that it knows."""

    def __init__(self, app: FastAPI, routing: Routing) -> None:
        self._app = app
        self._routing = routing
        self._known: Mapping[str, _Call] | None = None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["method"] != "GET":
            return Match.NONE, {}
        if self._known is None:
            # At the first request, when all routes are there.
            self._known = dict(short_ways(self._app, self._routing))
        call = self._known.get(scope["path"])
        if call is None:
            return Match.NONE, {}
        return Match.FULL, {"endpoint": call.function, "path_params": {}, "list": call}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: _Call = scope["list"]
        errors: list[Any] = []
        answer = await call(Request(scope, receive, send), errors)
        if errors:
            raise RequestValidationError(errors)
        await answer(scope, receive, send)


class _Parameter:
    """A value of the query, with a default."""

    def __init__(self, field: ModelField) -> None:
        self.name = field.name
        self._alias = field.alias
        self._field = field
        self._is_several = field_annotation_is_sequence(field.field_info.annotation)
        self._default = field.default

    def read(self, query: QueryParams, errors: list[Any]) -> Any:
        given = query.getlist(self._alias) if self._is_several else query.get(self._alias)
        if given is None or given == []:
            return self._default
        value, wrong = self._field.validate(given, loc=("query", self._alias))
        errors += wrong
        return value


class _Call:
    """A handler or one of its dependencies: what it is called with."""

    def __init__(self, dependant: Dependant) -> None:
        self.function: Any = dependant.call
        self.name = dependant.name
        self._request_name = dependant.request_param_name
        self._inner = [_Call(inner) for inner in dependant.dependencies]
        self._parameters = [_Parameter(field) for field in dependant.query_params]

    async def __call__(self, request: Request, errors: list[Any]) -> Any:
        """Call it, unless something that it is called with does not validate."""
        before = len(errors)
        values: dict[str, Any] = {}
        for inner in self._inner:
            found = await inner(request, errors)
            if inner.name is not None:
                values[inner.name] = found
        for parameter in self._parameters:
            values[parameter.name] = parameter.read(request.query_params, errors)
        if len(errors) > before:
            return None
        if self._request_name is not None:
            values[self._request_name] = request
        return await self.function(**values)


def short_ways(app: FastAPI, routing: Routing) -> Iterator[tuple[str, _Call]]:
    """The lists that are simple enough, by address."""
    for context in iter_route_contexts(app.routes):
        if context.methods != {"GET"} or not routing.of(context.endpoint).is_list:
            continue
        dependant: Dependant = context.dependant
        assert dependant.call is not None
        assert context.path is not None
        answers_itself = signature(dependant.call).return_annotation is Response
        if answers_itself and _is_simple(dependant):
            yield context.path, _Call(dependant)


def _is_simple(dependant: Dependant) -> bool:
    """Whether it is made of coroutines that read the request and optional values of its query."""
    calls = list(_flat(dependant))
    return len({id(one.call) for one in calls}) == len(calls) and all(map(_reads_query, calls))


def _reads_query(one: Dependant) -> bool:
    others = replace(
        one, call=None, name=None, path=None, scope=None, request_param_name=None,
        query_params=[], dependencies=[],
        own_oauth_scopes=one.own_oauth_scopes or None,
        parent_oauth_scopes=one.parent_oauth_scopes or None,
    )  # fmt: skip
    is_async = iscoroutinefunction(one.call) or iscoroutinefunction(type(one.call).__call__)
    is_optional = not any(field.field_info.is_required() for field in one.query_params)
    return is_async and is_optional and others == Dependant()


def _flat(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _flat(inner)
