"""The API with a worker whose model is scripted, and a client with something to write about."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import insert
from temporalio.client import Client

from api.http import commands
from models.db.database import Database
from models.ids import new_id
from models.tables.base import Base
from models.tables.clients_reviews import ClientGoal, Qbr, SuccessProfile, Win
from models.tables.clients_scores import ClientHealthScore
from models.tables.companies import Meeting, Project
from tests.api.conftest import TenantPeople, made
from tests.factories.clients import make_client, make_revenue_entry
from tests.workflows.writing import Writers

TODAY = datetime.now(UTC).date()
A_WHILE_AGO = TODAY - timedelta(days=20)


async def add(db: Database, people: TenantPeople, table: type[Base], **values: Any) -> str:
    values = {"id": new_id(), "tenant_id": people.id, **values}
    async with db.tenant(people.id) as session:
        await session.execute(insert(table).values(values))
    return str(values["id"])


async def eventful(db: Database, people: TenantPeople, **overrides: Any) -> str:
    """A client with one thing of every kind that a text is made from."""
    company_id = await make_client(db, made(people), "Acme", tier="core", **overrides)
    about = {"company_id": company_id}
    await add(
        db, people, ClientGoal, **about, metric="roas", target=Decimal(4), period="quarter",
        current_value=Decimal("3.595"),
    )  # fmt: skip
    await add(
        db, people, Win, **about, title="Best February so far", description="Sold 1,250 cups.",
        won_at=A_WHILE_AGO, source="manual", status="confirmed",
    )  # fmt: skip
    await add(
        db, people, Win, **about, title="Dismissed", won_at=A_WHILE_AGO, source="ai",
        status="dismissed",
    )  # fmt: skip
    await add(
        db, people, ClientHealthScore, **about, score=Decimal("42.5"), factors=["slow answers"],
        assessed_by="Ada",
    )  # fmt: skip
    await add(
        db, people, Meeting, **about, title="Spring range", held_on=A_WHILE_AGO,
        notes="Budget is 30k. Call Mara: +44 20 7946 0958, mara@acme.example.",
    )  # fmt: skip
    await add(db, people, Project, company_id=company_id, name="New shop")
    await add(
        db, people, Qbr, **about, held_on=TODAY - timedelta(days=200), status="recorded",
        outcomes="More search.", portal_visibility={},
    )  # fmt: skip
    await add(db, people, SuccessProfile, **about, celebration_vision="Ten shops.")
    last_month = TODAY.replace(day=1) - timedelta(days=1)
    await make_revenue_entry(db, made(people), company_id, "1250.5", counted_on=last_month)
    return company_id


@pytest.fixture
async def writers(
    app: FastAPI, db: Database, temporal: Client, tenant_a: TenantPeople
) -> AsyncIterator[Writers]:
    """A worker for tenant A; the API's commands go to its queue."""
    async with Writers.of_tenant(db, temporal, made(tenant_a)) as engine:
        app.dependency_overrides[commands._desk] = engine.desk
        yield engine
