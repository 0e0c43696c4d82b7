"""The ledger takes each document once, whoever brings it and in whatever order."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from models.db.database import Database
from models.queries.people import revenue_write
from models.queries.people.revenue_write import Taken
from models.rules.clients.revenue_entries import RevenueDocument
from models.rules.clients.vocabulary import RevenueKind, RevenueOrigin
from models.tables.clients_revenue import RevenueEntry
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


def document(external_id: str = "A-1", **overrides: Any) -> RevenueDocument:
    values = {
        "origin": RevenueOrigin.NUCLEUS, "external_id": external_id, "kind": RevenueKind.INVOICE,
        "counted_on": date(2026, 2, 3), "amount": Decimal("12.50"),
        "original_amount": Decimal("12.50"), "original_currency": "USD", "stripe_invoice_id": None,
    }  # fmt: skip
    return RevenueDocument(**{**values, **overrides})


def of_stripe(external_id: str, invoice_id: str, **overrides: Any) -> RevenueDocument:
    return document(
        external_id, origin=RevenueOrigin.STRIPE, stripe_invoice_id=invoice_id, **overrides
    )


async def put(
    db: Database, tenant: TenantMade, company_id: str, *documents: RevenueDocument, **options: Any
) -> Taken:
    async with db.tenant(tenant.id) as session:
        return await revenue_write.put_entries(
            session, tenant.id, company_id, documents, at=NOW, **options
        )


async def import_stripe(
    db: Database, tenant: TenantMade, company_id: str, *documents: RevenueDocument
) -> Taken:
    async with db.tenant(tenant.id) as session:
        return await revenue_write.put_stripe_entries(
            session, tenant.id, company_id, documents, NOW
        )


async def entries(db: Database, tenant: TenantMade) -> Sequence[Any]:
    async with db.tenant(tenant.id) as session:
        table = RevenueEntry.__table__
        return (await session.execute(select(table).order_by(table.c.external_id))).all()


async def test_a_document_that_comes_again_changes_the_row_that_is_there(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant)
    assert await put(db, tenant, company_id, document("A"), document("B")) == Taken(created=2)
    again = await put(db, tenant, company_id, document("A"), document("B", amount=Decimal(9)))
    assert again == Taken(updated=1, unchanged=1)
    assert [one.amount for one in await entries(db, tenant)] == [Decimal("12.50"), Decimal(9)]


async def test_the_same_intake_twice_at_once_leaves_each_entry_once(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant)
    documents = [document(f"A-{number}", stripe_invoice_id=f"in_{number}") for number in range(40)]
    taken = await asyncio.gather(
        put(db, tenant, company_id, *documents),
        put(db, tenant, company_id, *reversed(documents)),
        import_stripe(db, tenant, company_id, *(of_stripe(f"in_{n}", f"in_{n}") for n in (1, 2))),
    )
    assert sorted((one.created, one.unchanged) for one in taken[:2]) == [(0, 40), (40, 0)]
    kept = await entries(db, tenant)
    assert len(kept) == 40
    assert {one.origin for one in kept} == {RevenueOrigin.NUCLEUS}


async def test_two_companies_that_claim_the_same_documents_cannot_both_have_them(
    db: Database, tenant: TenantMade
) -> None:
    first, second = await make_client(db, tenant, "A"), await make_client(db, tenant, "B")
    documents = [document(f"A-{number}") for number in range(20)]
    taken = await asyncio.gather(
        put(db, tenant, first, *documents), put(db, tenant, second, *reversed(documents))
    )
    assert sorted((one.created, len(one.foreign)) for one in taken) == [(0, 20), (20, 0)]
    assert len({one.company_id for one in await entries(db, tenant)}) == 1


async def test_what_is_withdrawn_goes_and_only_from_the_company_itself(
    db: Database, tenant: TenantMade
) -> None:
    first, second = await make_client(db, tenant, "A"), await make_client(db, tenant, "B")
    await put(db, tenant, first, document("A"), document("B"))
    names = [(RevenueOrigin.NUCLEUS, "A"), (RevenueOrigin.NUCLEUS, "new")]
    assert await put(db, tenant, first, withdrawn=names) == Taken(removed=1)
    theirs = (RevenueOrigin.NUCLEUS, "B")
    taken = await put(db, tenant, second, withdrawn=[theirs])
    assert taken == Taken(foreign=frozenset({theirs}))
    assert [one.external_id for one in await entries(db, tenant)] == ["B"]


async def test_a_ledger_invoice_replaces_what_stripe_sent_of_it(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant)
    await import_stripe(
        db, tenant, company_id,
        of_stripe("in_1", "in_1"), of_stripe("re_1", "in_1", kind=RevenueKind.REFUND,
        amount=Decimal(-1), original_amount=Decimal(-1)), of_stripe("in_2", "in_2"),
    )  # fmt: skip
    taken = await put(db, tenant, company_id, document("A", stripe_invoice_id="in_1"))
    assert taken == Taken(created=1, removed=2)
    assert [one.external_id for one in await entries(db, tenant)] == ["A", "in_2"]


async def test_a_ledger_invoice_stays_the_replacement_when_stripe_is_imported_again(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant)
    await put(db, tenant, company_id, document("A", stripe_invoice_id="in_1"))
    imported = [of_stripe("in_1", "in_1"), of_stripe("in_2", "in_2")]
    assert await import_stripe(db, tenant, company_id, *imported) == Taken(created=1)
    assert await import_stripe(db, tenant, company_id, *imported) == Taken(unchanged=1)
    assert [one.external_id for one in await entries(db, tenant)] == ["A", "in_2"]


async def test_a_stripe_document_goes_with_the_customer_to_another_company(
    db: Database, tenant: TenantMade
) -> None:
    first, second = await make_client(db, tenant, "A"), await make_client(db, tenant, "B")
    await import_stripe(db, tenant, first, of_stripe("in_1", "in_1"))
    assert await import_stripe(db, tenant, second, of_stripe("in_1", "in_1")) == Taken(updated=1)
    assert [one.company_id for one in await entries(db, tenant)] == [second]
