"""QBRs recorded and edited over HTTP, for tests of whatever becomes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select

from models.tables.clients import Client, HistoryEvent
from tests.api.conftest import TenantPeople, made
from tests.factories.clients import make_client
from tests.factories.records import Records

TODAY = datetime.now(UTC).date()


async def client_of(records: Records, tenant: TenantPeople, **columns: Any) -> str:
    return await make_client(records.database, made(tenant), **columns)


def days(count: int) -> str:
    """The day so many days from today."""
    return (TODAY + timedelta(days=count)).isoformat()


async def recorded(
    http: httpx.AsyncClient, tenant: TenantPeople, company_id: str, **body: Any
) -> dict[str, Any]:
    answer = await http.post(
        f"/api/clients/{company_id}/qbrs",
        json={"date": days(0), **body},
        headers=tenant.member.headers,
    )
    assert answer.status_code == 201, answer.text
    qbr: dict[str, Any] = answer.json()["qbr"]
    return qbr


async def dates_of(records: Records) -> tuple[str | None, str | None]:
    """The last and the next date of the tenant's only client."""
    (client,) = await records.all(Client)
    return tuple(day and day.isoformat() for day in (client.last_qbr_date, client.next_qbr_date))


async def events_of(records: Records) -> list[Any]:
    async with records.database.tenant(records.tenant_id) as db:
        ordered = select(HistoryEvent.__table__).order_by(HistoryEvent.id)
        return list((await db.execute(ordered)).all())


def located(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [error["location"] for error in answer.json()["errors"]]


async def edited(
    http: httpx.AsyncClient, tenant: TenantPeople, qbr: dict[str, Any], patch: dict[str, Any]
) -> httpx.Response:
    url = f"/api/clients/{qbr['company_id']}/qbr/{qbr['id']}"
    return await http.patch(url, json=patch, headers=tenant.member.headers)
