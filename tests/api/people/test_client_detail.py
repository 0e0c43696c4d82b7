"""One client over HTTP: its numbers, its contacts, and the group that it is part of."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.db.database import Database
from models.ids import new_id
from models.rules.clients.vocabulary import (
    ClientStatus,
    RevenueKind,
    RevenueOrigin,
    Tier,
    TierTrack,
)
from models.tables.clients import ClientSummary
from models.tables.clients_revenue import RevenueEntry, StripeLink
from models.tables.companies import Contact, Deal, Meeting, Project
from tests.api.conftest import TenantPeople
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_company, make_revenue_entry
from tests.factories.records import NOON, Records

URL = "/api/clients"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def here(tenant_a: TenantPeople) -> TenantMade:
    return TenantMade(id=tenant_a.id, admin_id=tenant_a.admin.id, member_id=tenant_a.member.id)


async def shown(http: httpx.AsyncClient, people: TenantPeople, company_id: str) -> dict[str, Any]:
    answer = await http.get(f"{URL}/{company_id}", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    detail: dict[str, Any] = answer.json()
    return detail


async def fill(records: Records, company_id: str) -> None:
    """Two active projects, one open deal, two past meetings, two contacts; and what is not any."""
    for status in ("active", "active", "archived"):
        await records.insert(Project, id=new_id(), company_id=company_id, name="P", status=status)
    for status in ("open", "won", "lost"):
        await records.insert(Deal, id=new_id(), company_id=company_id, name="D", status=status)
    for day in (TODAY, TODAY - timedelta(days=9), TODAY + timedelta(days=1)):
        await records.insert(Meeting, id=new_id(), company_id=company_id, title="M", held_on=day)
    for archived in (None, None, NOON):
        await records.insert(
            Contact, id=new_id(), company_id=company_id, name="C", archived_at=archived
        )


COUNTED = {
    "active_projects": 2,
    "open_deals": 1,
    "meetings_count": 2,
    "contacts_count": 2,
    "last_meeting_date": str(TODAY),
}
NOTHING = {
    "active_projects": 0,
    "open_deals": 0,
    "total_revenue": 0,
    "meetings_count": 0,
    "contacts_count": 0,
    "last_meeting_date": None,
}


async def test_a_client_alone_has_its_numbers_and_no_group(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_client(db, here)
    await fill(records, company_id)
    await fill(records, await make_client(db, here, "Another"))
    detail = await shown(http, tenant_a, company_id)
    assert detail["stats"] == {**COUNTED, "total_revenue": 0}
    assert (detail["group"], detail["parent_client"]) == (None, None)


async def test_a_client_of_which_nothing_is_known_counts_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    detail = await shown(http, tenant_a, await make_client(db, here))
    assert (detail["stats"], detail["contacts"]) == (NOTHING, [])


async def test_revenue_is_of_one_source_over_all_time(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_client(db, here)
    productive: dict[str, Any] = {
        "origin": RevenueOrigin.PRODUCTIVE,
        "counted_on": date(2019, 1, 1),
    }
    await make_revenue_entry(db, here, company_id, "700.005", **productive)
    # An entry that has no amount in the reporting currency counts nowhere, also not as an entry.
    await records.insert(
        RevenueEntry, id=new_id(), company_id=company_id, origin=RevenueOrigin.NUCLEUS,
        external_id="7", kind=RevenueKind.INVOICE, counted_on=TODAY, amount=None,
        original_amount=9, original_currency="EUR",
    )  # fmt: skip
    assert (await shown(http, tenant_a, company_id))["stats"]["total_revenue"] == 700.01
    await make_revenue_entry(db, here, company_id, "100", counted_on=date(2015, 1, 1))
    await make_revenue_entry(
        db, here, company_id, "20.5", origin=RevenueOrigin.STRIPE, stripe_invoice_id="in_1"
    )
    await make_revenue_entry(db, here, company_id, "-5", kind=RevenueKind.CREDIT_NOTE)
    assert (await shown(http, tenant_a, company_id))["stats"]["total_revenue"] == 115.5


async def test_a_group_adds_up_the_company_and_its_children(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    parent = await make_client(db, here, "Holding", tier=Tier.CORE, health_score=Decimal("71.5"))
    plain = await make_company(db, here, "Zebra", parent_company_id=parent)
    child = await make_company(db, here, "acme", parent_company_id=parent)
    await make_client(
        db, here, company_id=child, status=ClientStatus.DORMANT, tier=Tier.REVIEW, health_score=40
    )
    await fill(records, parent)
    await fill(records, child)
    await make_revenue_entry(db, here, parent, "10.004")
    await make_revenue_entry(db, here, plain, "20.004", origin=RevenueOrigin.PRODUCTIVE)
    detail = await shown(http, tenant_a, parent)
    assert detail["stats"] == {**COUNTED, "total_revenue": 10.0}
    assert detail["group"] == {
        "children": [
            {"company_id": child, "name": "acme", "status": "dormant", "tier": "review",
             "health_score": 40},
            {"company_id": plain, "name": "Zebra", "status": None, "tier": None,
             "health_score": None},
        ],
        "aggregated": {
            "companies_count": 3,
            "active_projects": 4,
            "open_deals": 2,
            # Rounded once, at the end.
            "total_revenue": 30.01,
            "meetings_count": 4,
            "contacts_count": 4,
            "last_meeting_date": str(TODAY),
        },
    }  # fmt: skip
    below = await shown(http, tenant_a, child)
    assert below["group"] is None
    assert below["client"]["parent_company_id"] == parent
    assert below["parent_client"] == {
        "company_id": parent, "name": "Holding", "status": "active", "tier": "core",
        "health_score": 71.5,
    }  # fmt: skip


async def test_a_parent_that_is_no_client_is_named_without_a_profile(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    parent = await make_company(db, here, "Holding")
    company_id = await make_company(db, here, "Acme", parent_company_id=parent)
    await make_client(db, here, company_id=company_id)
    assert (await shown(http, tenant_a, company_id))["parent_client"] == {
        "company_id": parent, "name": "Holding", "status": None, "tier": None,
        "health_score": None,
    }  # fmt: skip


async def test_contacts_are_primary_first_then_by_name_and_a_hundred_at_most(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_client(db, here)
    for name, primary in (("Bea", False), ("Zoe", True), ("Ann", False)):
        await records.insert(
            Contact, id=new_id(), company_id=company_id, name=name, is_primary=primary,
            email=f"{name}@acme.test", title="Buyer", last_interaction_at=NOON,
        )  # fmt: skip
    await records.insert(Contact, id=new_id(), company_id=company_id, name="Gone", archived_at=NOON)
    contacts = (await shown(http, tenant_a, company_id))["contacts"]
    assert [contact["name"] for contact in contacts] == ["Zoe", "Ann", "Bea"]
    contacts[0].pop("id")
    assert contacts[0] == {
        "name": "Zoe", "email": "Zoe@acme.test", "phone": None, "title": "Buyer",
        "is_primary": True, "last_interaction_at": "2026-03-02T12:00:00Z",
    }  # fmt: skip
    for number in range(100):
        await records.insert(Contact, id=new_id(), company_id=company_id, name=f"Many {number}")
    detail = await shown(http, tenant_a, company_id)
    assert (len(detail["contacts"]), detail["stats"]["contacts_count"]) == (100, 103)


SCORES = ("revenue", "profitability", "strategic", "relationship", "growth", "adoption")


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        (TierTrack.DELIVERY, (4, 3, 4.5, 5, None, None)),
        (TierTrack.PRODUCT, (4, None, None, 5, 2, 4.1)),
    ],
)
async def test_scores_of_the_other_track_stay_hidden(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    track: TierTrack,
    expected: tuple[float | None, ...],
) -> None:
    values = (4, 3, Decimal("4.5"), 5, 2, Decimal("4.10"))
    scores: dict[str, Any] = {
        f"tier_{name}_score": value for name, value in zip(SCORES, values, strict=True)
    }
    company_id = await make_client(
        db, here, tier_track=track, tier_score=Decimal("4.25"), tier=Tier.PLATINUM,
        tier_scored_at=datetime.now(UTC) - timedelta(days=89), tier_scored_by=here.admin_id,
        tier_revenue_override=Decimal("4.5"), tier_override_reason="Billed elsewhere",
        **scores,
    )  # fmt: skip
    client = (await shown(http, tenant_a, company_id))["client"]
    assert tuple(client[f"tier_{name}_score"] for name in SCORES) == expected
    assert (client["tier_revenue_override"], client["tier_override_reason"]) == (
        4.5, "Billed elsewhere",
    )  # fmt: skip
    assert (client["tier_scored_by_name"], client["is_score_stale"]) == (
        tenant_a.admin.name, False,
    )  # fmt: skip


async def test_a_client_shows_its_summary_and_its_stripe_customer(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    db: Database,
    records: Records,
) -> None:
    company_id = await make_company(db, here, website="https://acme.test")
    await make_client(db, here, company_id=company_id, next_qbr_date=TODAY - timedelta(days=2))
    await records.insert(
        ClientSummary, company_id=company_id, text="All is well.", model="m", prompt_version="1",
        input_hash="h", generated_at=NOON,
    )  # fmt: skip
    await records.insert(
        StripeLink, company_id=company_id, stripe_customer_id="cus_1", linked_by=here.admin_id,
        linked_at=NOON,
    )  # fmt: skip
    client = (await shown(http, tenant_a, company_id))["client"]
    assert (client["ai_summary"], client["ai_summary_generated_at"]) == (
        "All is well.", "2026-03-02T12:00:00Z",
    )  # fmt: skip
    assert (client["stripe_customer_id"], client["website"]) == ("cus_1", "https://acme.test")
    assert (client["is_qbr_overdue"], client["qbr_overdue_days"]) == (True, 2)
