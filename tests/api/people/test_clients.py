"""Clients over HTTP: the list, its badges, and who may do what."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.db.database import Database
from models.ids import new_id
from models.rules.clients.vocabulary import ClientStatus, Tier, TierTrack
from tests.api.conftest import TenantPeople, made
from tests.api.people.client_calls import TODAY, URL, found, locations
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_company


@pytest.fixture
def here(tenant_a: TenantPeople) -> TenantMade:
    return made(tenant_a)


@pytest.fixture
def elsewhere(tenant_b: TenantPeople) -> TenantMade:
    return made(tenant_b)


async def test_a_client_is_listed_with_what_is_computed_of_it(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    parent = await make_company(db, here, "Acme Holding")
    company_id = await make_company(db, here, "Acme", parent_company_id=parent)
    scored_at = datetime.now(UTC) - timedelta(days=91)
    client_id = new_id()
    await make_client(
        db, here, company_id=company_id, id=client_id, tier=Tier.CORE,
        tier_track=TierTrack.DELIVERY, tier_score=Decimal("3.25"), tier_scored_at=scored_at,
        health_score=Decimal("49.5"), health_scored_at=scored_at, assigned_dm_id=here.member_id,
        next_qbr_date=TODAY - timedelta(days=3), last_qbr_date=date(2025, 11, 5),
        created_at=scored_at, updated_at=scored_at,
    )  # fmt: skip
    at = f"{scored_at.isoformat()[:19]}Z"
    assert await found(http, tenant_a) == {
        "clients": [
            {
                "id": client_id,
                "company_id": company_id,
                "name": "Acme",
                "status": "active",
                "tier": "core",
                "tier_track": "delivery",
                "tier_score": 3.25,
                "tier_scored_at": at,
                "is_score_stale": True,
                "health_score": 49.5,
                "health_scored_at": at,
                "assigned_dm_id": here.member_id,
                "assigned_dm_name": tenant_a.member.name,
                "last_qbr_date": "2025-11-05",
                "next_qbr_date": str(TODAY - timedelta(days=3)),
                "is_qbr_overdue": True,
                "qbr_overdue_days": 3,
                "parent_company_id": parent,
                "created_at": at,
                "updated_at": at,
            }
        ],
        "total": 1,
        "page": 1,
        "pages": 1,
    }


async def test_filters_and_pages_go_together(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    for number in range(5):
        await make_client(db, here, f"Acme {number}", tier=Tier.CORE, health_score=number * 10)
    await make_client(db, here, "Acme none", tier=Tier.CORE)
    await make_client(db, here, "Zebra", tier=Tier.REVIEW, status=ClientStatus.DORMANT)
    query = (
        "status=active,prospect&tier=core,platinum&health_score_min=10&health_score_max=40"
        "&search=%20aCm%20&sort=health_score&per_page=3"
    )
    first = await found(http, tenant_a, query)
    assert [one["name"] for one in first["clients"]] == ["Acme 1", "Acme 2", "Acme 3"]
    assert (first["total"], first["page"], first["pages"]) == (4, 1, 2)
    last = await found(http, tenant_a, f"{query}&page=2")
    assert [one["name"] for one in last["clients"]] == ["Acme 4"]
    past = await found(http, tenant_a, f"{query}&page=2147483647")
    assert past == {"clients": [], "total": 4, "page": 2147483647, "pages": 2}


async def test_a_list_of_nothing_has_no_pages(
    http: httpx.AsyncClient, tenant_a: TenantPeople, elsewhere: TenantMade, db: Database
) -> None:
    await make_client(db, elsewhere)
    nothing = {"clients": [], "total": 0, "page": 1, "pages": 0}
    assert await found(http, tenant_a) == nothing
    for nobody in ("", "nobody", elsewhere.admin_id):
        assert await found(http, tenant_a, f"assigned_dm_id={nobody}") == nothing


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("status=active,asleep", "query.status"),
        ("status=", "query.status"),
        ("tier=gold", "query.tier"),
        ("sort=age", "query.sort"),
        ("health_score_min=60&health_score_max=59.99", "query.health_score_min"),
        ("health_score_min=-1", "query.health_score_min"),
        ("health_score_max=100.01", "query.health_score_max"),
        ("health_score_max=nan", "query.health_score_max"),
        ("page=0", "query.page"),
        ("page=2147483648", "query.page"),
        ("per_page=0", "query.per_page"),
        ("per_page=201", "query.per_page"),
        (f"search={'x' * 201}", "query.search"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_by_name(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str, location: str
) -> None:
    answer = await http.get(f"{URL}?{query}", headers=tenant_a.admin.headers)
    assert answer.status_code == 400
    assert location in locations(answer)[0]


async def test_bounds_of_health_belong_to_the_range_however_they_are_written(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    await make_client(db, here, health_score=Decimal("49.99"))
    for query in ("health_score_min=49.99&health_score_max=49.99", "health_score_min=1e-320"):
        assert (await found(http, tenant_a, query))["total"] == 1
    assert (await found(http, tenant_a, "health_score_max=49.989999"))["total"] == 0


async def test_the_badges_count_active_clients_of_the_tenant(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    elsewhere: TenantMade,
    db: Database,
) -> None:
    late: dict[str, Any] = {
        "next_qbr_date": TODAY - timedelta(days=1),
        "health_score": Decimal("49.99"),
    }
    await make_client(db, here, **late)
    await make_client(db, here, last_qbr_date=date(2024, 1, 31), health_score=50)
    await make_client(db, here, next_qbr_date=TODAY)
    await make_client(db, here, status=ClientStatus.DORMANT, **late)
    await make_client(db, elsewhere, **late)
    answer = await http.get(f"{URL}/stats", headers=tenant_a.reviewer.headers)
    assert answer.json() == {"overdue_qbr_count": 2, "low_health_count": 1}


async def test_reviewers_look_and_do_not_touch(
    http: httpx.AsyncClient, tenant_a: TenantPeople, here: TenantMade, db: Database
) -> None:
    client, company = await make_client(db, here), await make_company(db, here)
    headers = tenant_a.reviewer.headers
    for path in ("", "/stats", f"/{client}", f"/{client}/history"):
        assert (await http.get(URL + path, headers=headers)).status_code == 200
    answers = [
        await http.post(URL, json={"company_id": company}, headers=headers),
        await http.patch(f"{URL}/{client}", json={"status": "dormant"}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]


async def test_a_client_that_is_not_the_tenants_is_not_there(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    here: TenantMade,
    elsewhere: TenantMade,
    db: Database,
) -> None:
    headers = tenant_a.admin.headers
    theirs, plain = await make_client(db, elsewhere), await make_company(db, here)
    for company_id in (theirs, plain, new_id(), "no-id"):
        answers = [
            await http.get(f"{URL}/{company_id}", headers=headers),
            await http.get(f"{URL}/{company_id}/history", headers=headers),
            await http.patch(f"{URL}/{company_id}", json={"status": "alumni"}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
