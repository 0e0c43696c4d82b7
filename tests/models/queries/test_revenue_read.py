"""Revenue and adoption of many companies at once, read off indexes."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, text

from models.db.database import Database, driver
from models.ids import new_id
from models.queries.people import revenue_entries, revenue_read
from models.queries.people.revenue_read import AdoptionFacts
from models.rules.clients.revenue import SourceTotals, revenue_window
from models.rules.clients.vocabulary import RevenueOrigin
from models.tables.clients import AdoptionWeek
from models.tables.clients_reviews import SuccessProfile
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client, make_revenue_entry
from tests.factories.results import connect_platform
from tests.statements import remembered

pytestmark = pytest.mark.fresh_database

TODAY = date(2026, 3, 11)
WINDOW = revenue_window(TODAY)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


async def test_totals_are_of_each_company_and_source_in_the_window(
    db: Database, tenant: TenantMade
) -> None:
    first, second, third = [await make_client(db, tenant, name) for name in "ABC"]
    for company_id, amount, overrides in (
        (first, "100.25", {}),
        (first, "10", {"origin": "stripe", "stripe_invoice_id": "in_1"}),
        (first, "-5", {"counted_on": date(2025, 3, 1)}),
        (first, "7", {"origin": "productive", "counted_on": date(2026, 2, 28)}),
        (first, "900", {"counted_on": date(2025, 2, 28)}),
        (first, "900", {"counted_on": date(2026, 3, 1)}),
        (second, "3", {"origin": "productive"}),
    ):
        values: dict[str, Any] = dict(overrides)
        await make_revenue_entry(db, tenant, company_id, amount, **values)
    async with db.tenant(tenant.id) as session:
        found = await revenue_read.totals(session, [first, second, third], WINDOW)
    assert found == {
        first: SourceTotals(
            nucleus_entries=3, nucleus_total=Decimal("105.25"),
            productive_entries=1, productive_total=Decimal(7),
        ),
        second: SourceTotals(productive_entries=1, productive_total=Decimal(3)),
        third: SourceTotals(),
    }  # fmt: skip


async def test_adoption_is_of_the_twelve_complete_weeks_and_the_questionnaire(
    db: Database, tenant: TenantMade
) -> None:
    first, second = [await make_client(db, tenant, name) for name in "AB"]
    this_week = date(2026, 3, 9)
    async with db.tenant(tenant.id) as session:
        for weeks in (0, 1, 12, 13):
            session_row = {"tenant_id": tenant.id, "company_id": first}
            week = this_week - timedelta(weeks=weeks)
            await session.execute(insert(AdoptionWeek), {**session_row, "week": week})
        profile = {
            "id": new_id(), "tenant_id": tenant.id, "company_id": first,
            "financial_year_start": "04-01", "financial_year_end": "03-31",
            "key_trading_periods": [{"name": "Christmas"}], "channel_online_pct": 1,
            "celebration_vision": "A", "growth_priorities_text": "B", "company_direction_text": "C",
        }  # fmt: skip
        await session.execute(insert(SuccessProfile), profile)
        found = await revenue_read.adoption_facts(session, [first, second], TODAY)
    assert found == {
        first: AdoptionFacts(platforms=0, active_weeks=2, questionnaire=True),
        second: AdoptionFacts(),
    }


async def test_sums_and_the_list_are_read_off_their_indexes(
    db: Database, tenant: TenantMade
) -> None:
    company_id = await make_client(db, tenant)
    await make_revenue_entry(db, tenant, company_id, "1")
    async with db.tenant(tenant.id) as session:
        with remembered(session) as sent:
            await revenue_read.totals(session, [company_id], WINDOW)
            await revenue_read.by_month(session, company_id, WINDOW)
            await revenue_entries.page(
                session, company_id, since=WINDOW.first, until=WINDOW.end,
                origins=[RevenueOrigin.NUCLEUS], limit=3, after=None,
            )  # fmt: skip
        for way in ("seqscan", "bitmapscan", "sort"):
            await session.execute(text(f"set local enable_{way} = off"))
        plans = []
        for statement, bound in sent:
            lines = await driver(session).execute(f"explain (costs off) {statement}", bound)
            plans.append("\n".join(line for (line,) in await lines.fetchall()))
    totals, by_month, page = plans
    assert "Index Only Scan using ix_revenue_entry_counted" in totals
    assert "Index Only Scan using ix_revenue_entry_counted" in by_month
    assert "Index Scan Backward using ix_revenue_entry_listed" in page
    assert "Sort" not in page


async def test_adoption_counts_each_platform_with_an_active_connection_once(
    db: Database, tenant: TenantMade
) -> None:
    first, second, third = [await make_client(db, tenant, name) for name in "ABC"]
    for platform, status in (
        ("meta_ads", "active"), ("shopify", "active"), ("ga4", "expired"),
        ("meta_ads", "disconnected"), ("klaviyo", "disconnected"),
    ):  # fmt: skip
        await connect_platform(db, tenant, first, platform, status)
    await connect_platform(db, tenant, second, "ga4")
    async with db.tenant(tenant.id) as session:
        found = await revenue_read.adoption_facts(session, [first, second, third], TODAY)
    assert {company: facts.platforms for company, facts in found.items()} == {
        first: 2, second: 1, third: 0
    }  # fmt: skip
