"""What every request passes through: sizes, rates, ids, headers, probes, metrics."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from temporalio.client import Client

from activities.platforms.connectors import Connectors
from api.app import create_app, services_from
from api.http.limits import RateLimiter
from api.http.services import Services
from models.db.database import Database
from models.errors import RateLimited
from models.settings import Settings
from tests.api.conftest import TenantPeople, TokenFactory
from tests.api.serving import served
from workers.billing import build_billing
from workers.container import build_answering

ORDERS = "/dashboard/v1/probe/orders"


@pytest.fixture
def api_settings(api_settings: Settings) -> Settings:
    return api_settings.model_copy(
        update={"api_max_body_bytes": 10_000, "rate_limit_per_minute": 40}
    )


async def test_a_body_over_the_limit_is_413(http: httpx.AsyncClient, tenant_a: TenantPeople):
    answer = await http.post(ORDERS, headers=tenant_a.admin.headers, json={"name": "x" * 10_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_declared_length_is_believed_before_anything_is_read(
    app: FastAPI, tenant_a: TenantPeople
):
    head = [
        f"POST {ORDERS} HTTP/1.1", "Host: api.test", "Content-Length: 900000000",
        "Content-Type: application/json", f"Authorization: Bearer {tenant_a.admin.token}", "", "",
    ]  # fmt: skip
    async with served(app) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.split(":")[-1]))
        writer.write("\r\n".join(head).encode())
        # Not a byte of the body follows, and the server hangs up by itself.
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_body_in_pieces_is_cut_at_the_limit(app: FastAPI, tenant_a: TenantPeople):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 100
            await asyncio.sleep(0)

    headers = tenant_a.admin.headers | {"Content-Type": "application/json"}
    async with served(app) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.post(ORDERS, headers=headers, content=pieces())
    assert answer.status_code == 413


@pytest.mark.parametrize(("size", "status"), [(200_000, 200), (400_000, 413)])
async def test_a_route_may_take_more(
    http: httpx.AsyncClient, tenant_a: TenantPeople, size: int, status: int
):
    answer = await http.post(
        "/dashboard/v1/probe/upload",
        headers=tenant_a.admin.headers,
        data={"title": "x"},
        files={"file": b"x" * size},
    )
    assert answer.status_code == status


async def test_who_calls_too_often_is_told_when_to_come_back(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    answers = [
        await http.get("/dashboard/v1/probe/me", headers=tenant_a.admin.headers) for _ in range(60)
    ]
    others = await http.get("/dashboard/v1/probe/me", headers=tenant_a.member.headers)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json()["code"] == "RATE_LIMITED"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert others.status_code == 200


def test_a_bucket_refills_while_nobody_calls(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr("api.http.limits.time.monotonic", lambda: now)
    limiter = RateLimiter(60)
    for _ in range(60):
        limiter.take("a")
    with pytest.raises(RateLimited):
        limiter.take("a")
    now += 1.01
    limiter.take("a")
    with pytest.raises(RateLimited):
        limiter.take("a")


async def test_each_answer_has_an_id_and_guards(http: httpx.AsyncClient):
    first, second = await http.get("/healthz"), await http.get("/healthz")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("odd", ["a b", "x" * 129, "<script>", "a\tb"])
async def test_an_odd_request_id_is_replaced(http: httpx.AsyncClient, odd: str):
    answer = await http.get("/healthz", headers={"X-Request-Id": odd})
    assert answer.headers["x-request-id"] != odd


async def test_the_process_lives_while_temporal_is_away(http: httpx.AsyncClient):
    alive, ready = await http.get("/healthz"), await http.get("/readyz")
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json()["postgresql"]["ok"] is True
    assert ready.json()["temporal"]["ok"] is False
    assert "127.0.0.1" not in ready.text


async def test_reads_are_answered_while_temporal_is_away(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    answer = await http.get("/dashboard/v1/probe/channels", headers=tenant_a.admin.headers)
    assert answer.status_code == 200


async def test_metrics_name_routes_and_not_addresses(
    http: httpx.AsyncClient, tenant_a: TenantPeople
):
    path = "/dashboard/v1/probe/things/01JZ8Q4T7M3V6X9B2C5D8F0G1H"
    await http.get(path, headers=tenant_a.admin.headers)
    await http.get("/no/such/address")
    metrics = (await http.get("/metrics")).text
    assert 'route="/dashboard/v1/probe/things/{thing_id}",status="200"' in metrics
    assert 'route="(none)",status="404"' in metrics
    assert "01JZ8Q" not in metrics


async def call(services: Services, path: str, headers: dict[str, str]) -> httpx.Response:
    """Answer one request by an application of these services."""
    application = create_app(services)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application), base_url="http://api.test"
    ) as client:
        return await client.get(path, headers=headers)


async def test_ready_means_that_both_servers_answer(
    api_settings: Settings, db: Database, tokens: TokenFactory, temporal: Client
):
    services = services_from(
        api_settings,
        billing=build_billing(api_settings),
        answering=build_answering(api_settings),
        connectors=Connectors(),
        database=db,
        temporal=temporal,
    )
    answer = await call(services, "/readyz", {})
    assert answer.status_code == 200
    assert answer.json()["temporal"] == {"ok": True, "detail": "healthy"}


async def test_without_a_database_the_answer_is_503(
    api_settings: Settings, tokens: TokenFactory, tenant_a: TenantPeople
):
    nowhere = "postgresql+psycopg://throughline_app@127.0.0.1:1/nothing"
    services = services_from(
        api_settings.model_copy(update={"database_url": nowhere}),
        billing=build_billing(api_settings),
        answering=build_answering(api_settings),
        connectors=Connectors(),
    )
    answer = await call(services, "/dashboard/v1/activities", tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert answer.headers["retry-after"]
    assert "127.0.0.1" not in answer.text


async def test_a_restart_of_the_database_fails_no_request(
    http: httpx.AsyncClient, tenant_a: TenantPeople, owner_database_url: str
):
    path = "/dashboard/v1/probe/channels"
    await asyncio.gather(*(http.get(path, headers=tenant_a.admin.headers) for _ in range(8)))
    url = owner_database_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        await owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
    answers = await asyncio.gather(
        *(http.get(path, headers=tenant_a.admin.headers) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
