"""Calls about clients that several tests make."""

from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import update

from models.db.database import Database
from models.ids import new_id
from models.tables.people import Principal
from tests.api.conftest import TenantPeople
from tests.factories.agents import TenantMade
from tests.factories.records import Records

URL = "/api/clients"


TODAY = datetime.now(UTC).date()


async def found(http: httpx.AsyncClient, people: TenantPeople, query: str = "") -> dict[str, Any]:
    answer = await http.get(f"{URL}?{query}", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    listed: dict[str, Any] = answer.json()
    return listed


async def history(http: httpx.AsyncClient, people: TenantPeople, company_id: str) -> list[Any]:
    answer = await http.get(f"{URL}/{company_id}/history", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    events: list[Any] = answer.json()["history"]
    return events


def locations(answer: httpx.Response) -> list[str]:
    return [item["location"] for item in answer.json()["errors"]]


async def outsiders(
    db: Database, records: Records, here: TenantMade, elsewhere: TenantMade
) -> list[str]:
    """Ids of nobody, an agent, a user of another tenant, and one who is not active any more."""
    async with db.tenant(here.id) as session:
        await session.execute(
            update(Principal).where(Principal.id == here.admin_id).values(status="inactive")
        )
    return ["", "no-id", new_id(), records.agent("editor"), elsewhere.admin_id, here.admin_id]
