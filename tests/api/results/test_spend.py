"""Spend over HTTP."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.db.database import Database
from models.ids import new_id
from models.tables.agent_runs import LedgerEntry
from tests.api.conftest import TenantPeople
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from tests.factories.records import NOON, Records

URL = "/dashboard/v1/analytics/spend"
RANGE = "startDate=2026-03-01&endDate=2026-03-04"


async def spend(http: httpx.AsyncClient, people: TenantPeople, query: str) -> dict[str, object]:
    answer = await http.get(f"{URL}?{query}", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    report: dict[str, object] = answer.json()
    return report


@pytest.fixture
async def charged(records: Records) -> None:
    """Two campaigns of one name, a dollar and a quarter on two days, and one charge outside."""
    first = await records.campaign(budget_cap_usd=Decimal(8))
    second = await records.campaign()
    deliverable_id = await records.deliverable(first)
    one = await records.activity(first, deliverable_id=deliverable_id)
    two = await records.activity(second)
    await records.charge(first, one, "0.75")
    await records.charge(first, one, "0.25", agent_role="editor", model="claude-haiku-4-5")
    await records.charge(second, two, "0.25", created_on=NOON + timedelta(days=1))
    midnight = datetime(2026, 3, 5, tzinfo=UTC)
    await records.charge(second, two, "9", created_on=midnight)


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("agent", [("Copywriter", 1.0, 80.0), ("Editor", 0.25, 20.0)]),
        ("model", [("claude-sonnet-4-5", 1.0, 80.0), ("claude-haiku-4-5", 0.25, 20.0)]),
        ("campaign", [("Spring", 1.0, 80.0), ("Spring", 0.25, 20.0)]),
        ("deliverable_type", [("blog_post", 1.0, 80.0), ("other", 0.25, 20.0)]),
    ],
)
async def test_costs_are_broken_down_highest_first(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    charged: None,
    group_by: str,
    expected: list[tuple[str, float, float]],
) -> None:
    report = await spend(http, tenant_a, f"{RANGE}&groupBy={group_by}")
    assert report == {
        "totalUsd": 1.25,
        "budgetCapUsd": 8.0,
        "budgetUsedPct": 15.62,
        "breakdown": [
            {"label": label, "costUsd": cost, "pct": pct} for label, cost, pct in expected
        ],
        "dailySeries": [
            {"date": "2026-03-01", "costUsd": 0.0},
            {"date": "2026-03-02", "costUsd": 1.0},
            {"date": "2026-03-03", "costUsd": 0.25},
            {"date": "2026-03-04", "costUsd": 0.0},
        ],
    }


@pytest.mark.parametrize(
    ("group_by", "label"),
    [
        ("agent", "Account Manager"),
        ("model", "claude-sonnet-5-5"),
        ("campaign", "Clients"),
        ("deliverable_type", "Clients"),
    ],
)
async def test_texts_about_clients_are_a_part_of_every_breakdown(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, records: Records, charged: None,
    group_by: str, label: str,
) -> None:  # fmt: skip
    made = TenantMade(id=tenant_a.id, admin_id=tenant_a.admin.id, member_id=tenant_a.member.id)
    for _ in range(2):
        await records.insert(
            LedgerEntry, company_id=await make_client(db, made), run_id=new_id(), turn=1, attempt=1,
            agent_role="account_manager", model="claude-sonnet-5-5", input_tokens=10,
            price_effective_from=date(2025, 9, 29), output_tokens=10, cache_write_tokens=0,
            cache_read_tokens=0, cost_usd=Decimal("0.5"), created_on=NOON,
        )  # fmt: skip
    report = await spend(http, tenant_a, f"{RANGE}&groupBy={group_by}")
    breakdown: list[dict[str, Any]] = report["breakdown"]  # type: ignore[assignment]
    assert report["totalUsd"] == 2.25
    assert sum(part["costUsd"] for part in breakdown) == 2.25
    assert [part["costUsd"] for part in breakdown if part["label"] == label] == [1.0]


async def test_without_costs_or_caps_the_report_is_empty(
    http: httpx.AsyncClient, tenant_a: TenantPeople, foreign_records: Records
) -> None:
    campaign_id = await foreign_records.campaign(budget_cap_usd=Decimal(5))
    await foreign_records.charge(campaign_id, await foreign_records.activity(campaign_id), "3")
    report = await spend(http, tenant_a, "startDate=2026-03-02&endDate=2026-03-02")
    assert report == {
        "totalUsd": 0.0,
        "breakdown": [],
        "dailySeries": [{"date": "2026-03-02", "costUsd": 0.0}],
    }


async def test_the_caps_of_archived_and_ended_campaigns_do_not_count(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    await records.campaign(budget_cap_usd=Decimal(1), status="archived")
    await records.campaign(budget_cap_usd=Decimal(2), end_date=date(2026, 2, 1))
    await records.campaign(budget_cap_usd=Decimal(4), anchor_date=date(2026, 4, 1))
    await records.campaign(budget_cap_usd=Decimal(8), status="completed")
    assert (await spend(http, tenant_a, RANGE))["budgetCapUsd"] == 8.0


async def test_without_dates_the_running_month_is_reported_up_to_today(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    series = (await spend(http, tenant_a, ""))["dailySeries"]
    assert isinstance(series, list)
    today = datetime.now(UTC).date()
    assert series[0]["date"] == today.replace(day=1).isoformat()
    assert series[-1]["date"] == today.isoformat()


@pytest.mark.parametrize(
    "query",
    [
        "startDate=2026-03-02&endDate=2026-03-01",
        "startDate=2025-01-01&endDate=2026-01-02",
        "startDate=2020-01-01",
        "startDate=0001-01-01&endDate=9999-12-31",
        "endDate=0001-01-01&period=quarter",
        "startDate=9999-12-31",
        "startDate=today",
        "period=year",
        "groupBy=mood",
    ],
)
async def test_an_impossible_range_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str
) -> None:
    answer = await http.get(f"{URL}?{query}", headers=tenant_a.member.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


async def test_a_range_may_be_as_long_as_a_leap_year(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    report = await spend(http, tenant_a, "startDate=2024-01-01&endDate=2024-12-31")
    assert len(report["dailySeries"]) == 366  # type: ignore[arg-type]
