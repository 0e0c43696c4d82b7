"""The document: every operation says what it does, what it takes, answers and refuses."""

from typing import Any

import httpx
import pytest

from tests.documented import DOCUMENT

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return DOCUMENT


def operations(openapi: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_every_operation_says_what_it_does(openapi: dict[str, Any]):
    silent = [
        name
        for name, operation in operations(openapi)
        if not operation.get("summary") or not operation.get("description")
    ]
    assert silent == []


def test_every_operation_of_the_dashboard_is_signed_in_to(openapi: dict[str, Any]):
    open_ = [
        name
        for name, operation in operations(openapi)
        if " /dashboard/" in name and operation.get("security") != [{"bearer": []}]
    ]
    assert open_ == []


def test_what_can_come_from_anywhere_is_documented_everywhere(openapi: dict[str, Any]):
    short = [
        name
        for name, operation in operations(openapi)
        if " /dashboard/" in name
        and not {"400", "401", "403", "429", "503"} <= set(operation["responses"])
    ]
    assert short == []


def test_paths_with_an_id_can_be_not_found(openapi: dict[str, Any]):
    missing = [
        name
        for name, operation in operations(openapi)
        if "_id}" in name and "404" not in operation["responses"]
    ]
    assert missing == []


def test_errors_are_problems_with_an_example(openapi: dict[str, Any]):
    odd = [
        (name, status)
        for name, operation in operations(openapi)
        for status, response in operation["responses"].items()
        if int(status) >= 400
        and " /dashboard/" in name
        and "example" not in response.get("content", {}).get("application/problem+json", {})
    ]
    assert odd == []


def test_references_lead_somewhere(openapi: dict[str, Any]):
    schemas = openapi["components"]["schemas"]

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    assert {ref.rsplit("/", 1)[1] for ref in references(openapi)} <= set(schemas)
    assert not {"HTTPValidationError", "ValidationError"} & set(schemas)


async def test_the_application_serves_the_document(http: httpx.AsyncClient):
    served = (await http.get("/openapi.json")).json()
    assert "/healthz" in served["paths"]
