"""Every refusal in one form, telling where and never too much."""

from http import HTTPStatus
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from starlette.types import Message

from api.http.problems import unforeseen
from models.ids import new_id
from tests.api.conftest import TenantPeople

ORDERS = "/dashboard/v1/probe/orders"
ORDER = {"name": "Tea", "unitPrice": 1.5}


def places(answer: httpx.Response) -> list[str]:
    return [item["location"] for item in answer.json()["errors"]]


async def test_a_problem_has_every_member(http: httpx.AsyncClient, tenant_a: TenantPeople):
    answer = await http.post(
        "/dashboard/v1/probe/refused",
        headers=tenant_a.admin.headers | {"X-Request-Id": "my-id"},
    )
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "my-id"
    assert answer.json() == {
        "type": "/problems/unprocessable",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "detail": "No.",
        "instance": "urn:request:my-id",
        "code": "UNPROCESSABLE",
        "errors": [{"location": "body.x", "message": "Not so", "value": 1}],
    }


async def test_retry_after_is_a_header(http: httpx.AsyncClient, tenant_a: TenantPeople):
    answer = await http.post("/dashboard/v1/probe/busy", headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "7")


async def test_an_unknown_address_is_not_found(http: httpx.AsyncClient):
    answer = await http.get("/nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_wrong_method_says_which_ones_there_are(http: httpx.AsyncClient):
    answer = await http.put("/dashboard/v1/probe/me")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["status"] == 405


@pytest.mark.parametrize("bad", ["x", "01jz8q4t7m3v6x9b2c5d8f0g1h", "8" * 26, "0" * 27])
async def test_an_ill_formed_id_is_not_found(
    http: httpx.AsyncClient, tenant_a: TenantPeople, bad: str
):
    answer = await http.get(f"/dashboard/v1/probe/things/{bad}", headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_well_formed_id_reaches_the_handler(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    path = f"/dashboard/v1/probe/things/{new_id()}"
    assert (await http.get(path, headers=tenant_a.admin.headers)).status_code == 200


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"unitPrice": 1}, "body.name"),
        ({**ORDER, "name": ""}, "body.name"),
        ({**ORDER, "name": 7}, "body.name"),
        ({**ORDER, "unitPrice": "1.5"}, "body.unitPrice"),
        ({**ORDER, "unitPrice": True}, "body.unitPrice"),
        ({**ORDER, "unitPrice": 0.1234567}, "body.unitPrice"),
        ({**ORDER, "lines": [{"quantity": 1}, {"quantity": 11}]}, "body.lines.1.quantity"),
        ({**ORDER, "lines": [{"quantity": "3"}]}, "body.lines.0.quantity"),
        ({**ORDER, "lines": [{"quantity": True}]}, "body.lines.0.quantity"),
        ({**ORDER, "surprise": 1}, "body.surprise"),
        ({**ORDER, "dueOn": "soon"}, "body.dueOn"),
        ({**ORDER, "dueOn": "9999-12-31T23:59:59-01:00"}, "body.dueOn"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
async def test_a_body_that_does_not_validate_is_400_with_the_place(
    http: httpx.AsyncClient, tenant_a: TenantPeople, body: Any, location: str
):
    answer = await http.post(ORDERS, headers=tenant_a.admin.headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert location in places(answer)


@pytest.mark.parametrize("text", [b"{", b"{'name': 1}", b"\xff\xfe", b'{"name": }', b"[" * 5000])
async def test_what_is_not_json_is_400(
    http: httpx.AsyncClient, tenant_a: TenantPeople, text: bytes
):
    headers = tenant_a.admin.headers | {"Content-Type": "application/json"}
    answer = await http.post(ORDERS, headers=headers, content=text)
    assert (answer.status_code, places(answer)) == (400, ["body"])


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", None])
async def test_a_foreign_content_type_is_415(
    http: httpx.AsyncClient, tenant_a: TenantPeople, kind: str | None
):
    headers = tenant_a.admin.headers | ({"Content-Type": kind} if kind else {})
    answer = await http.post(ORDERS, headers=headers, content=b'{"name": "Tea", "unitPrice": 1}')
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_json_for_a_form_is_415(http: httpx.AsyncClient, tenant_a: TenantPeople):
    answer = await http.post(
        "/dashboard/v1/probe/upload", headers=tenant_a.admin.headers, json={"title": "x"}
    )
    assert answer.status_code == 415


async def test_fields_of_a_form_are_located_as_such(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    answer = await http.post(
        "/dashboard/v1/probe/upload",
        headers=tenant_a.admin.headers,
        data={"title": "far too long"},
        files={"other": b"x"},
    )
    assert sorted(places(answer)) == ["form.file", "form.title"]


async def test_credentials_are_not_shown_back(http: httpx.AsyncClient, tenant_a: TenantPeople):
    secret = {"apiKey": "sk-very-secret", "password": "hunter2", "service_account_json": "{MIIE}"}
    answer = await http.post(ORDERS, headers=tenant_a.admin.headers, json={**ORDER, **secret})
    assert not [value for value in secret.values() if value in answer.text]
    assert set(places(answer)) == {f"body.{name}" for name in secret}


async def test_of_very_many_faults_some_are_told(http: httpx.AsyncClient, tenant_a: TenantPeople):
    unknown = {f"x{number}": 1 for number in range(5_000)}
    answer = await http.post(ORDERS, headers=tenant_a.admin.headers, json={**ORDER, **unknown})
    assert len(places(answer)) == 100


@pytest.mark.parametrize(
    ("text", "location"),
    [
        (b'{"name": "a\\u0000b", "unitPrice": 1}', "body.name"),
        (b'{"name": "a\\ud800b", "unitPrice": 1}', "body.name"),
        (b'{"name": "Tea", "unitPrice": 1, "lines": [{"qu\\u0000": 1}]}', "body.lines.0"),
    ],
)
async def test_text_that_cannot_be_stored_is_400(
    http: httpx.AsyncClient, tenant_a: TenantPeople, text: bytes, location: str
):
    headers = tenant_a.admin.headers | {"Content-Type": "application/json"}
    answer = await http.post(ORDERS, headers=headers, content=text)
    assert (answer.status_code, places(answer)) == (400, [location])


async def test_an_escaped_backslash_is_not_a_nul(http: httpx.AsyncClient, tenant_a: TenantPeople):
    headers = tenant_a.admin.headers | {"Content-Type": "application/json"}
    text = b'{"name": "a\\\\u0000", "unitPrice": 1}'
    assert (await http.post(ORDERS, headers=headers, content=text)).status_code == 201


@pytest.mark.parametrize("query", ["filter.type=%00", "cursor=a%00", "x%00=1", "q=%ff%fe"])
async def test_a_query_that_cannot_be_stored_is_400(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str
):
    answer = await http.get(f"/dashboard/v1/probe/channels?{query}", headers=tenant_a.admin.headers)
    assert answer.status_code == 400


async def test_a_nul_in_a_path_is_not_found(http: httpx.AsyncClient, tenant_a: TenantPeople):
    answer = await http.get("/dashboard/v1/probe/things/%00", headers=tenant_a.admin.headers)
    assert answer.status_code == 404


async def test_what_nobody_foresaw_is_500_and_tells_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    answer = await http.get("/dashboard/v1/probe/boom", headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "UNAVAILABLE")
    assert "secret" not in answer.text


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}])
async def test_a_commit_that_fails_is_no_201(
    http: httpx.AsyncClient, tenant_a: TenantPeople, key: dict[str, str]
):
    for _ in range(2):
        answer = await http.post("/dashboard/v1/probe/doomed", headers=tenant_a.admin.headers | key)
        assert (answer.status_code, answer.json()["status"]) == (500, 500)


async def test_refused_requests_give_their_connections_back(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    for _ in range(4):  # The pool has 8.
        for path in ("channels?limit=0", "boom", "me-with-db"):
            await http.get(f"/dashboard/v1/probe/{path}", headers=tenant_a.admin.headers)
        await http.post("/dashboard/v1/probe/admin", headers=tenant_a.reviewer.headers)
    answer = await http.get("/dashboard/v1/probe/channels", headers=tenant_a.admin.headers)
    assert answer.status_code == 200


async def test_money_and_moments_keep_their_form(http: httpx.AsyncClient, tenant_a: TenantPeople):
    body = {**ORDER, "unitPrice": 0.000001, "dueOn": "2026-03-01T10:00:00.123456+02:00"}
    answer = await http.post(ORDERS, headers=tenant_a.admin.headers, json=body)
    got = answer.json()
    assert {name: got[name] for name in got if name != "id"} == {
        "unitPrice": 0.000001,
        "dueOn": "2026-03-01T08:00:00.123Z",
    }


async def test_null_and_absent_are_told_apart(http: httpx.AsyncClient, tenant_a: TenantPeople):
    answer = await http.post(ORDERS, headers=tenant_a.admin.headers, json=ORDER)
    assert sorted(answer.json()) == ["dueOn", "id", "unitPrice"]


async def test_a_lost_database_is_503_with_a_time_to_come_back():
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    lost = OperationalError("select 1", {}, psycopg.OperationalError("gone"))
    scope = {"type": "http", "path": "/x", "request_id": "r"}
    await unforeseen(scope, lost)(scope, receive, send)
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
