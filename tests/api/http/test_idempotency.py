"""The same request twice is the same work once."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text, update

from models.db.database import Database
from models.tables.campaigns import Channel
from models.tables.records import IdempotencyKey
from tests.api.conftest import Person, TenantPeople

ORDER = {"name": "Tea", "unitPrice": 1.5}
BOTH = pytest.mark.parametrize("path", ["channels", "commands"])


async def send(
    http: httpx.AsyncClient, who: Person, path: str, key: str | None, body: Any = None
) -> httpx.Response:
    headers = who.headers | ({"Idempotency-Key": key} if key is not None else {})
    return await http.post(f"/dashboard/v1/probe/{path}", headers=headers, json=body or ORDER)


async def written(db: Database, tenant: TenantPeople) -> int:
    async with db.tenant(tenant.id) as session:
        return int((await session.execute(select(func.count()).select_from(Channel))).scalar_one())


async def test_a_repeat_gets_the_first_answer(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    first = await send(http, tenant_a.admin, "channels", "k")
    second = await send(http, tenant_a.admin, "channels", "k")
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["idempotency-replayed"] == "true"
    assert await written(db, tenant_a) == 1


@BOTH
async def test_how_the_json_is_spaced_does_not_matter(
    http: httpx.AsyncClient, tenant_a: TenantPeople, path: str
):
    first = await send(http, tenant_a.admin, path, "k")
    again = await http.post(
        f"/dashboard/v1/probe/{path}",
        headers=tenant_a.admin.headers
        | {"Idempotency-Key": "k", "Content-Type": "application/json"},
        content=b'{ "unitPrice":1.5,\n "name":"Tea" }',
    )
    assert again.content == first.content


@BOTH
async def test_another_body_is_a_conflict(
    http: httpx.AsyncClient, tenant_a: TenantPeople, path: str
):
    await send(http, tenant_a.admin, path, "k")
    answer = await send(http, tenant_a.admin, path, "k", {**ORDER, "name": "Milk"})
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


@BOTH
async def test_without_a_key_each_request_is_its_own(
    http: httpx.AsyncClient, tenant_a: TenantPeople, path: str
):
    first = await send(http, tenant_a.admin, path, None)
    assert (await send(http, tenant_a.admin, path, None)).json()["id"] != first.json()["id"]


async def test_users_tenants_and_routes_have_keys_of_their_own(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople
):
    answers = [
        await send(http, tenant_a.admin, "channels", "k"),
        await send(http, tenant_a.member, "channels", "k"),
        await send(http, tenant_b.admin, "channels", "k"),
        await send(http, tenant_a.admin, "commands", "k"),
    ]
    assert len({answer.json()["id"] for answer in answers}) == 4


@BOTH
async def test_while_the_first_runs_the_second_is_told_to_wait(
    http: httpx.AsyncClient, tenant_a: TenantPeople, path: str
):
    slow = {**ORDER, "name": "slow"}
    first = asyncio.create_task(send(http, tenant_a.admin, path, "k", slow))
    await asyncio.sleep(0.2)
    second = await send(http, tenant_a.admin, path, "k", slow)
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    third = await send(http, tenant_a.admin, path, "k", slow) if (await first) else None
    assert third is not None
    assert third.content == (await first).content


@BOTH
async def test_of_racing_twins_one_does_the_work(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database, path: str
):
    answers = await asyncio.gather(*(send(http, tenant_a.admin, path, "k") for _ in range(12)))
    good = {answer.content for answer in answers if answer.is_success}
    assert len(good) == 1
    assert {answer.status_code for answer in answers} <= {201, 202, 409}
    assert await written(db, tenant_a) <= 1


@BOTH
async def test_a_failure_gives_the_key_back(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database, path: str
):
    failed = await send(http, tenant_a.admin, path, "k", {**ORDER, "name": "bad"})
    invalid = await send(http, tenant_a.admin, path, "k", {**ORDER, "name": ""})
    good = await send(http, tenant_a.admin, path, "k")
    assert (failed.status_code, invalid.status_code, good.is_success) == (422, 400, True)
    assert await written(db, tenant_a) <= 1


async def age(db: Database, tenant: TenantPeople, **columns: str) -> None:
    values = {
        name: getattr(IdempotencyKey, name) - text(f"interval '{shift}'")
        for name, shift in columns.items()
    }
    async with db.tenant(tenant.id) as session:
        await session.execute(update(IdempotencyKey).values(values))


async def test_after_a_day_a_key_is_new_again(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    await send(http, tenant_a.admin, "channels", "k")
    await age(db, tenant_a, created_on="25 hours", claimed_until="25 hours")
    answer = await send(http, tenant_a.admin, "channels", "k", {**ORDER, "name": "Milk"})
    assert answer.status_code == 201


async def crashed(http: httpx.AsyncClient, tenant: TenantPeople, db: Database) -> None:
    """Leave the claim of a process that died at work."""
    await send(http, tenant.admin, "commands", "k")
    async with db.tenant(tenant.id) as session:
        await session.execute(
            update(IdempotencyKey).values(response_status=None, response_body=None)
        )


async def test_the_claim_of_a_crashed_process_ends_with_its_lease(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    await crashed(http, tenant_a, db)
    early = await send(http, tenant_a.admin, "commands", "k")
    await age(db, tenant_a, claimed_until="61 seconds")
    other = await send(http, tenant_a.admin, "commands", "k", {**ORDER, "name": "Milk"})
    late = await send(http, tenant_a.admin, "commands", "k")
    assert (early.status_code, other.status_code, late.status_code) == (409, 409, 202)


async def test_whoever_lost_a_claim_cannot_undo_its_successors(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    slow_to_fail = asyncio.create_task(
        send(http, tenant_a.admin, "channels", "k", {**ORDER, "name": "slow"})
    )
    await asyncio.sleep(0.2)
    await age(db, tenant_a, claimed_until="61 seconds")
    successor = await send(http, tenant_a.admin, "channels", "k", {**ORDER, "name": "slow"})
    await slow_to_fail
    third = await send(http, tenant_a.admin, "channels", "k", {**ORDER, "name": "slow"})
    assert third.content == successor.content


async def test_a_repeat_by_a_demoted_user_is_forbidden(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    await send(http, tenant_a.admin, "commands", "k")
    async with db.tenant(tenant_a.id) as session:
        await session.execute(text("update principal set role = 'member' where role = 'admin'"))
    assert (await send(http, tenant_a.admin, "commands", "k")).status_code == 403


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "tab\there", "ü"])
async def test_an_ill_formed_key_is_400(http: httpx.AsyncClient, tenant_a: TenantPeople, key: str):
    headers = httpx.Headers(tenant_a.admin.headers)
    headers = httpx.Headers([*headers.raw, (b"Idempotency-Key", key.encode("latin-1"))])
    answer = await http.post("/dashboard/v1/probe/commands", headers=headers, json=ORDER)
    places = [item["location"] for item in answer.json()["errors"]]
    assert (answer.status_code, places) == (400, ["header.Idempotency-Key"])


async def test_forms_are_compared_by_fields_and_files(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    async def upload(content: bytes) -> httpx.Response:
        return await http.post(
            "/dashboard/v1/probe/uploads",
            headers=tenant_a.admin.headers | {"Idempotency-Key": "k"},
            files={"file": ("a.txt", content)},
        )

    first, same, other = await upload(b"one"), await upload(b"one"), await upload(b"two")
    assert (first.content, other.status_code) == (same.content, 409)
