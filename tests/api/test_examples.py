"""The examples of the OpenAPI document: there, and true."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from api.http.wire import Camel, Snake
from models.ids import is_id
from models.rules.platforms.registry import PlatformId
from tests.documented import DOCUMENT

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def exemplified(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in kind.__subclasses__():
        yield from exemplified(one)
        if isinstance(one.model_config.get("json_schema_extra"), dict):
            yield one


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON body and answer of the dashboard, with where it is."""
    for path, item in DOCUMENT["paths"].items():
        if not path.startswith("/dashboard"):
            continue
        for method, operation in item.items():
            sides = {"body": operation.get("requestBody", {}), **operation["responses"]}
            for name, side in sides.items():
                for media, content in side.get("content", {}).items():
                    if media != "multipart/form-data":
                        yield f"{method} {path} {name}", content


def has_example(content: dict[str, Any]) -> bool:
    if "example" in content or "examples" in content:
        return True
    if "$ref" in content:
        return has_example(SCHEMAS[content["$ref"].rsplit("/", 1)[1]])
    branches = [content["schema"]] if "schema" in content else content.get("anyOf", [])
    return any(has_example(branch) for branch in branches)


def ids_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("id", "refId") or name.endswith("Id"):
                yield inner
            else:
                yield from ids_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from ids_in(inner)


def test_every_body_and_answer_has_an_example() -> None:
    assert [where for where, content in bodies() if not has_example(content)] == []


def test_every_route_says_what_it_does() -> None:
    silent = [
        f"{method} {path}"
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if not operation.get("summary") or not operation.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize("schema", [*exemplified(Camel), *exemplified(Snake)])
def test_an_example_is_what_its_schema_allows(schema: type[BaseModel]) -> None:
    extra = schema.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    for example in examples:
        schema.model_validate(example)
        # What others give ids to is known by those, and platforms by their names.
        ours = (value for value in ids_in(example) if not value.startswith("cus_"))
        minted = [value for value in ours if value not in set(PlatformId)]
        assert [value for value in minted if not is_id(value)] == []
