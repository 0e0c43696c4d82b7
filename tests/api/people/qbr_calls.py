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
HIDDEN = {"challenges", "discussion_points"}
SECTIONS = {
    "executive_summary", "performance", "wins", "challenges", "goals", "recommendations",
    "discussion_points", "next_steps",
}  # fmt: skip
CONTENT: dict[str, Any] = {
    "version": 1,
    "period": {"start": "2026-01-01", "end": "2026-03-10"},
    "executive_summary": "Revenue grew.",
    "performance": [
        {
            "metric_key": "roas",
            "currency": None,
            "value": 4.35,
            "prior_value": 3.5,
            "delta_pct": None,
            "target": 4,
            "tracking_status": "on_track",
            "comment": "Fine.",
        }
    ],
    "wins": [{"win_id": None, "title": "February", "detail": "The best so far."}],
    "challenges": [{"title": "Stock", "detail": "Sold out."}],
    "goals": [],
    "recommendations": [
        {"title": "Search", "rationale": "It pays.", "priority": "high", "owner": "agency"}
    ],
    "discussion_points": ["Summer"],
    "next_steps": [{"title": "Budget", "owner": "client", "due_date": "2026-04-01"}],
}


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
