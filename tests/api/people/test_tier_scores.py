"""Tier scores, their history and the revenue summary over HTTP."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from models.ids import new_id
from models.rules.clients.adoption import week_of
from models.rules.months import add_months
from models.tables.clients import AdoptionWeek, Client, HistoryEvent
from models.tables.clients_revenue import RevenueEntry
from models.tables.clients_reviews import SuccessProfile
from models.tables.clients_scores import TierScoring
from models.tables.people import Notification, Tenant
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople, made
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_company, make_revenue_entry
from tests.factories.records import Records

TODAY = datetime.now(UTC).date()
LAST_MONTH = add_months(TODAY.replace(day=1), -1)
DELIVERY: dict[str, Any] = {
    "tier_track": "delivery",
    "profitability_score": 3,
    "strategic_score": 4,
    "relationship_score": 5,
}


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    return await make_client(
        records.database, made(tenant_a), "Acme", assigned_dm_id=tenant_a.reviewer.id
    )


async def earn(records: Records, company_id: str, amount: str, **overrides: Any) -> None:
    tenant = TenantMade(id=records.tenant_id, admin_id="", member_id="")
    values = {"counted_on": LAST_MONTH, **overrides}
    await make_revenue_entry(records.database, tenant, company_id, amount, **values)


async def score(
    http: httpx.AsyncClient, tenant: TenantPeople, company_id: str, **body: Any
) -> httpx.Response:
    url = f"/api/clients/{company_id}/tier-score"
    return await http.put(url, json=body, headers=tenant.member.headers)


async def history(http: httpx.AsyncClient, tenant: TenantPeople, company_id: str) -> list[Any]:
    url = f"/api/clients/{company_id}/tier-history"
    answer = await http.get(url, headers=tenant.reviewer.headers)
    assert answer.status_code == 200, answer.text
    entries: list[Any] = answer.json()["history"]
    return entries


async def only(records: Records, table: Any) -> Any:
    (row,) = await records.all(table)
    return row


async def test_the_documented_example_gives_the_documented_tier(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    await earn(records, company_id, "285000")
    answer = await score(http, tenant_a, company_id, **DELIVERY)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "tier": "platinum",
            "tier_score": 4.25,
            "tier_track": "delivery",
            "revenue": {"annual_total": 285000, "score": 4, "source": "nucleus", "override": None},
            "dimensions": {"revenue": 4, "profitability": 3, "strategic": 4, "relationship": 5},
        },
    )


async def test_a_first_tier_has_all_its_effects(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    await score(http, tenant_a, company_id, **DELIVERY)
    client = await only(records, Client)
    due = add_months(TODAY, 4)
    assert (client.tier, client.tier_scored_by, client.next_qbr_date) == (
        "core", tenant_a.member.id, due,
    )  # fmt: skip
    assert abs(client.tier_scored_at - datetime.now(UTC)) < timedelta(minutes=1)
    events = await records.all(HistoryEvent)
    assert {(one.event_type, one.field, one.old_value, one.new_value) for one in events} == {
        ("client.tier_scored", None, None, None),
        ("client.tier_changed", "tier", None, "core"),
        ("client.next_qbr_date_changed", "next_qbr_date", None, due.isoformat()),
    }
    told = await only(records, Notification)
    assert (told.principal_id, told.kind) == (tenant_a.reviewer.id, "client.tier_changed")
    audited = [one for one in await records.all(AuditEntry) if one.entity_id == company_id]
    assert [(one.action, one.actor_id) for one in audited] == [("tier_scored", tenant_a.member.id)]
    assert await records.all(AdoptionWeek) == []


async def test_the_same_tier_again_moves_no_date_and_tells_nobody(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    await score(http, tenant_a, company_id, **DELIVERY)
    async with records.database.tenant(tenant_a.id) as db:
        await db.execute(update(Client).values(next_qbr_date=date(2027, 1, 1)))
    await score(http, tenant_a, company_id, tier_track="delivery", strategic_score=4.1)
    assert (await only(records, Client)).next_qbr_date == date(2027, 1, 1)
    assert len(await records.all(Notification)) == 1
    kinds = [one.event_type for one in await records.all(HistoryEvent)]
    assert sorted(kinds) == [
        "client.next_qbr_date_changed", "client.tier_changed", "client.tier_scored",
        "client.tier_scored",
    ]  # fmt: skip


async def test_what_is_not_sent_stays_and_switching_back_finds_it(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    await score(http, tenant_a, company_id, **DELIVERY)
    there = await score(http, tenant_a, company_id, tier_track="product", growth_score=3.5)
    assert there.json()["dimensions"] == {
        "revenue": 1, "relationship": 5, "growth": 3.5, "adoption": 1,
    }  # fmt: skip
    back = await score(http, tenant_a, company_id, tier_track="delivery", strategic_score=2.25)
    assert back.json()["dimensions"] == {
        "revenue": 1, "profitability": 3, "strategic": 2.25, "relationship": 5,
    }  # fmt: skip


async def test_adoption_is_computed_for_the_product_track(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    for weeks in (0, 1, 2, 12, 13):
        monday = week_of(TODAY) - timedelta(weeks=weeks)
        await records.insert(AdoptionWeek, company_id=company_id, week=monday)
    await records.insert(
        SuccessProfile, id=new_id(), company_id=company_id, financial_year_start="04-01",
        financial_year_end="03-31", key_trading_periods=[{"name": "Christmas"}],
        channel_online_pct=60, celebration_vision="A party", growth_priorities_text="Europe",
        company_direction_text="Up",
    )  # fmt: skip
    answer = await score(
        http, tenant_a, company_id, tier_track="product", relationship_score=4, growth_score=3.5
    )
    # No platforms, 3 of the 12 complete weeks, and the questionnaire.
    assert answer.json()["dimensions"]["adoption"] == 1.8


async def test_an_override_stands_until_it_is_removed(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    override = {"revenue_override": 3, "override_reason": "Billed by the parent company."}
    first = await score(http, tenant_a, company_id, **DELIVERY, **override)
    kept = await score(http, tenant_a, company_id, tier_track="delivery")
    removed = await score(http, tenant_a, company_id, tier_track="delivery", revenue_override=None)
    answers = [one.json() for one in (first, kept, removed)]
    assert [(one["revenue"]["override"], one["dimensions"]["revenue"]) for one in answers] == [
        (3, 3), (3, 3), (None, 1),
    ]  # fmt: skip
    assert {one["revenue"]["score"] for one in answers} == {1}
    assert (await only(records, Client)).tier_override_reason is None


async def test_a_total_may_be_larger_than_any_one_amount(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    for _ in range(2):
        await earn(records, company_id, "999999999999.99")
    answer = await score(http, tenant_a, company_id, **DELIVERY)
    assert answer.json()["revenue"]["annual_total"] == 1999999999999.98
    (entry,) = await history(http, tenant_a, company_id)
    assert entry["annual_total"] == 1999999999999.98


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.tier_track"),
        ({**DELIVERY, "tier_track": "gold"}, "body.tier_track"),
        ({**DELIVERY, "strategic_score": 5.5}, "body.strategic_score"),
        ({**DELIVERY, "strategic_score": 0}, "body.strategic_score"),
        ({**DELIVERY, "strategic_score": 3.005}, "body.strategic_score"),
        ({**DELIVERY, "strategic_score": "3"}, "body.strategic_score"),
        ({**DELIVERY, "strategic_score": None}, "body.strategic_score"),
        ({**DELIVERY, "strategic_score": 1e300}, "body.strategic_score"),
        ({**DELIVERY, "growth_score": 3}, "body.growth_score"),
        ({"tier_track": "delivery", "strategic_score": 3}, "body.profitability_score"),
        ({**DELIVERY, "adoption_score": 3}, "body.adoption_score"),
        ({**DELIVERY, "revenue_override": 3}, "body.override_reason"),
        ({**DELIVERY, "revenue_override": 3, "override_reason": " \t"}, "body.override_reason"),
        ({**DELIVERY, "revenue_override": 3, "override_reason": ""}, "body.override_reason"),
        (
            {**DELIVERY, "revenue_override": 3, "override_reason": "r" * 1001},
            "body.override_reason",
        ),
        ({**DELIVERY, "revenue_override": 6, "override_reason": "No."}, "body.revenue_override"),
        ({**DELIVERY, "override_reason": "Why not."}, "body.override_reason"),
    ],
)
async def test_an_impossible_score_is_refused_and_named(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    company_id: str,
    body: dict[str, Any],
    location: str,
) -> None:
    answer = await score(http, tenant_a, company_id, **body)
    assert answer.status_code == 400, answer.text
    assert location in [one["location"] for one in answer.json()["errors"]]
    assert await records.all(TierScoring) == []


async def test_two_scorings_at_once_are_two_consistent_entries(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    bodies = [
        {**DELIVERY, "strategic_score": given, "relationship_score": given}
        for given in (1, 5, 1, 5, 1, 5)
    ]
    answers = await asyncio.gather(*(score(http, tenant_a, company_id, **body) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    entries = sorted(await records.all(TierScoring), key=lambda one: one.scored_at)
    tiers = [None, *(one.tier for one in entries)]
    assert [one.previous_tier for one in entries] == tiers[:-1]
    assert (await only(records, Client)).tier == tiers[-1]
    assert len(entries) == 6


async def test_the_history_lists_people_and_the_system_oldest_first(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    await records.insert(
        TierScoring, id=new_id(), company_id=company_id, tier_track="product", tier="standard",
        scored_at=datetime(2026, 1, 1, 2, tzinfo=UTC), tier_score=Decimal("2.5"), revenue_score=2,
        relationship_score=3, growth_score=2, adoption_score=Decimal("1.03"),
        annual_total=Decimal("30000.5"), revenue_source="productive", source="auto",
    )  # fmt: skip
    await score(http, tenant_a, company_id, **DELIVERY)
    first, second = await history(http, tenant_a, company_id)
    assert {**first, "id": ""} == {
        "id": "", "scored_at": "2026-01-01T02:00:00Z", "tier_track": "product",
        "tier": "standard", "previous_tier": None, "tier_score": 2.5, "revenue_score": 2,
        "revenue_override": None, "override_reason": None, "profitability_score": None,
        "strategic_score": None, "relationship_score": 3, "growth_score": 2,
        "adoption_score": 1.03, "annual_total": 30000.5, "revenue_source": "productive",
        "source": "auto", "scored_by": None, "scored_by_name": None,
    }  # fmt: skip
    assert (second["source"], second["scored_by"], second["scored_by_name"]) == (
        "manual", tenant_a.member.id, tenant_a.member.name,
    )  # fmt: skip


async def test_the_summary_has_twelve_months_of_the_one_source_that_counts(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, company_id: str
) -> None:
    first = add_months(LAST_MONTH, -11)
    await earn(records, company_id, "70000.25", counted_on=first)
    await earn(records, company_id, "10000", origin="stripe", stripe_invoice_id="in_1")
    await earn(records, company_id, "-5000", kind="credit_note")
    await earn(records, company_id, "900000", origin="productive")
    await earn(records, company_id, "900000", counted_on=first - timedelta(days=1))
    await earn(records, company_id, "900000", counted_on=add_months(LAST_MONTH, 1))
    await records.insert(
        RevenueEntry, id=new_id(), company_id=company_id, origin="nucleus", external_id="EUR-1",
        kind="invoice", counted_on=LAST_MONTH, original_amount=900_000, original_currency="EUR",
    )  # fmt: skip
    async with records.database.tenant(tenant_a.id) as db:
        await db.execute(update(Tenant).values(currency="GBP"))
    answer = await http.get(
        f"/api/clients/{company_id}/revenue-summary", headers=tenant_a.reviewer.headers
    )
    summary = answer.json()
    months = [f"{add_months(first, number):%Y-%m}" for number in range(12)]
    assert [one["month"] for one in summary["monthly"]] == months
    assert [one["total"] for one in summary["monthly"]] == [70000.25, *[0] * 10, 5000]
    assert {**summary, "monthly": []} == {
        "annual_total": 75000.25, "revenue_score": 3, "source": "nucleus", "monthly": [],
        "currency": "GBP",
    }  # fmt: skip


async def test_without_revenue_the_summary_is_of_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    url = f"/api/clients/{company_id}/revenue-summary"
    summary = (await http.get(url, headers=tenant_a.reviewer.headers)).json()
    assert (summary["annual_total"], summary["revenue_score"], summary["source"]) == (0, 1, "none")
    assert [one["total"] for one in summary["monthly"]] == [0] * 12


async def test_who_is_no_client_of_the_tenant_is_not_found(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople, company_id: str,
    records: Records,
) -> None:  # fmt: skip
    unpromoted = await make_company(records.database, made(tenant_a), "Prospect")
    cases = [
        (tenant_a, "C-1"),
        (tenant_a, new_id()),
        (tenant_a, unpromoted),
        (tenant_b, company_id),
    ]
    for tenant, other in cases:
        answers = [await score(http, tenant, other, **DELIVERY)]
        for name in ("tier-history", "revenue-summary"):
            url = f"/api/clients/{other}/{name}"
            answers.append(await http.get(url, headers=tenant.admin.headers))
        assert [answer.status_code for answer in answers] == [404] * 3
    assert await records.all(TierScoring) == []


async def test_scoring_needs_the_right_to_update(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str
) -> None:
    url = f"/api/clients/{company_id}/tier-score"
    answer = await http.put(url, json=DELIVERY, headers=tenant_a.reviewer.headers)
    assert answer.status_code == 403
