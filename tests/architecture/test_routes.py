"""Each route says who may call it, what can go wrong, and shows an example."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.agents import router as agents
from api.http.auth import Level
from api.people import router as people
from api.platforms import router as platforms
from api.results import router as results
from tests.documented import DOCUMENT

OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if path.startswith(("/dashboard/", "/api/clients"))
]


def routes() -> Iterator[APIRoute]:
    for router in (agents, people, platforms, results):
        yield from walk(router)


def walk(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "routes"):
            yield from walk(route)
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router)


def levels(dependant: Dependant) -> list[Level]:
    found = [dependant.call] if isinstance(dependant.call, Level) else []
    for inner in dependant.dependencies:
        found += levels(inner)
    return found


def test_each_route_asks_for_exactly_one_right() -> None:
    wrong = {
        f"{route.methods} {route.path}": [level for level in levels(route.dependant)]
        for route in routes()
        if len({id(level) for level in levels(route.dependant)}) != 1
    }
    assert wrong == {}


def test_every_operation_of_the_api_is_a_route_of_an_area() -> None:
    assert len(list(routes())) == len(OPERATIONS) > 0


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_an_operation_is_described_and_documents_its_errors(
    name: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert {"400", "401", "403", "429", "503"} <= set(operation["responses"])
