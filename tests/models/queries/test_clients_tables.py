"""What the tables of clients see to by themselves."""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Table, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.db.database import Database
from models.ids import new_id
from models.rules.clients import vocabulary
from models.rules.clients.vocabulary import Tier
from models.tables import Base
from models.tables.clients import AdoptionWeek, Client
from models.tables.clients_revenue import StripeLink
from models.tables.companies import Company
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client, make_company, make_revenue_entry

CLOSED: list[tuple[str, str, type[StrEnum]]] = [
    ("client", "status", vocabulary.ClientStatus),
    ("client", "tier", vocabulary.Tier),
    ("client", "tier_track", vocabulary.TierTrack),
    ("client_goal", "period", vocabulary.PeriodType),
    ("qbr", "status", vocabulary.QbrStatus),
    ("revenue_entry", "kind", vocabulary.RevenueKind),
    ("revenue_entry", "origin", vocabulary.RevenueOrigin),
    ("tier_scoring", "source", vocabulary.ScoreSource),
    ("win", "source", vocabulary.WinSource),
    ("win", "status", vocabulary.WinStatus),
]


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


async def column(db: Database, tenant: TenantMade, statement: Any) -> list[Any]:
    async with db.tenant(tenant.id) as session:
        return list((await session.execute(statement)).scalars())


@pytest.mark.parametrize(("table", "name", "words"), CLOSED)
def test_a_column_takes_the_words_of_the_vocabulary(
    table: str, name: str, words: type[StrEnum]
) -> None:
    found: Table = Base.metadata.tables[table]
    rules = [
        str(constraint.sqltext)
        for constraint in found.constraints
        if isinstance(constraint, CheckConstraint)
        and str(constraint.sqltext).startswith(f"{name} in (")
    ]
    assert [set(re.findall(r"'(\w+)'", rule)) for rule in rules] == [set(words)]


async def test_a_client_is_sorted_by_the_name_that_its_company_has_now(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant, "ÄRZTEHAUS Nord")
    keys = select(Client.name_key)
    before = await column(db, tenant, keys)
    async with db.tenant(tenant.id) as session:
        await session.execute(
            update(Company).where(Company.id == company_id).values(name="Ålesund AS")
        )
    assert (before, await column(db, tenant, keys)) == (["ärztehaus nord"], ["ålesund as"])


async def test_tiers_are_sorted_best_first_and_clients_without_one_last(
    db: Database, tenant: TenantMade
) -> None:
    for tier in (None, *reversed(Tier)):
        await make_client(db, tenant, str(tier), tier=tier)
    found = await column(db, tenant, select(Client.tier).order_by(Client.tier_rank))
    assert found == [*Tier, None]


async def test_a_company_is_a_client_once(db: Database, tenant: TenantMade) -> None:
    company_id = await make_client(db, tenant)
    with pytest.raises(IntegrityError, match="uq_client_company_id"):
        await make_client(db, tenant, company_id=company_id)


async def test_a_document_is_taken_in_once_from_each_origin(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_company(db, tenant)
    await make_revenue_entry(db, tenant, company_id, "10", external_id="2026-001")
    await make_revenue_entry(
        db, tenant, company_id, "10", origin="productive", external_id="2026-001"
    )
    with pytest.raises(IntegrityError, match="uq_revenue_entry"):
        await make_revenue_entry(db, tenant, company_id, "10", external_id="2026-001")


@pytest.mark.parametrize(
    ("refused", "values"),
    [
        ("sign", {"kind": "refund"}),
        ("sign", {"kind": "credit_note"}),
        ("stripe_invoice", {"origin": "stripe"}),
        ("original_currency", {"original_currency": "usd"}),
    ],
)
async def test_an_entry_that_makes_no_sense_is_refused(
    db: Database, tenant: TenantMade, refused: str, values: dict[str, Any]
) -> None:
    company_id = await make_company(db, tenant)
    with pytest.raises(IntegrityError, match=f"ck_revenue_entry_{refused}"):
        await make_revenue_entry(db, tenant, company_id, "10", **values)


async def test_a_stripe_customer_is_one_company(db: Database, tenant: TenantMade) -> None:
    link = {
        "tenant_id": tenant.id, "stripe_customer_id": "cus_1", "linked_by": tenant.admin_id,
        "linked_at": func.now(),
    }  # fmt: skip
    one, other = await make_client(db, tenant, "One"), await make_client(db, tenant, "Other")
    async with db.tenant(tenant.id) as session:
        await session.execute(insert(StripeLink).values(**link, company_id=one))
    with pytest.raises(IntegrityError, match="uq_stripe_link"):
        async with db.tenant(tenant.id) as session:
            await session.execute(insert(StripeLink).values(**link, company_id=other))


async def test_a_week_is_named_by_its_monday(db: Database, tenant: TenantMade) -> None:
    company_id = await make_client(db, tenant)
    values = {"tenant_id": tenant.id, "company_id": company_id, "week": date(2026, 3, 3)}
    with pytest.raises(IntegrityError, match="ck_adoption_week_monday"):
        async with db.tenant(tenant.id) as session:
            await session.execute(insert(AdoptionWeek).values(values))


async def test_an_override_has_a_reason(db: Database, tenant: TenantMade) -> None:
    with pytest.raises(IntegrityError, match="ck_client_override"):
        await make_client(db, tenant, id=new_id(), tier_revenue_override=Decimal(3))
