"""The list of clients and its badges against the plainest way to make them, in Python."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert

from models.db.database import Database
from models.ids import new_id
from models.queries.people import clients_list
from models.queries.people.clients_list import Badges, ClientRow, Wanted
from models.rules.clients.health import is_low
from models.rules.clients.qbr_dates import overdue
from models.rules.clients.tiers import is_score_stale
from models.rules.clients.vocabulary import ClientSort, ClientStatus, Tier, TierTrack
from models.tables.clients import Client
from models.tables.companies import Company
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client

NOW = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)
NAMES = (
    "Acme",
    "acme",
    "Ångström",
    "ÅNGSTRÖM Werke",
    "Zebra",
    "ZÉBULON",
    "Öl & Co",
    "a_b%c",
    "Straße",
)
TIERS = (None, *Tier)


@dataclass(frozen=True)
class Made:
    company_id: str
    name: str
    status: ClientStatus
    tier: Tier | None
    tier_track: TierTrack | None
    tier_scored_at: datetime | None
    health_score: Decimal | None
    assigned_dm_id: str | None
    last_qbr_date: date | None
    next_qbr_date: date | None

    @property
    def key(self) -> str:
        return self.name.lower()

    def matches(self, wanted: Wanted) -> bool:
        low, high, score = wanted.health_score_min, wanted.health_score_max, self.health_score
        in_range = score is not None and (low or 0) <= score <= (100 if high is None else high)
        return (
            (not wanted.statuses or self.status in wanted.statuses)
            and (not wanted.tiers or self.tier in wanted.tiers)
            and wanted.assigned_dm_id in (None, self.assigned_dm_id)
            and (in_range or (low is None and high is None))
            and wanted.search.strip().lower() in self.key
        )

    def place(self, sort: ClientSort) -> tuple[Any, ...]:
        first = {
            ClientSort.HEALTH_SCORE: (self.health_score is None, self.health_score or Decimal(0)),
            ClientSort.NAME: (),
            ClientSort.TIER: (list(Tier).index(self.tier) if self.tier else len(Tier),),
            ClientSort.LAST_QBR_DATE: (self.last_qbr_date or date.min,),
        }[sort]
        return (*first, self.key, self.company_id)


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db)


def a_day(chance: random.Random) -> date | None:
    days = chance.randrange(-400, 60)
    return chance.choice((None, date(2025, 10, 31), NOW.date() + timedelta(days=days)))


async def fill(db: Database, tenant: TenantMade, chance: random.Random) -> list[Made]:
    scored = (None, NOW - timedelta(days=90), NOW - timedelta(days=90, seconds=1), NOW)
    made = [
        Made(
            company_id=new_id(),
            name=chance.choice(NAMES),
            status=chance.choice(list(ClientStatus)),
            tier=chance.choice(TIERS),
            tier_track=chance.choice((None, *TierTrack)),
            tier_scored_at=chance.choice(scored),
            health_score=chance.choice((None, Decimal("49.99"), Decimal(50), Decimal(7))),
            assigned_dm_id=chance.choice((None, tenant.admin_id, tenant.member_id)),
            last_qbr_date=a_day(chance),
            next_qbr_date=a_day(chance),
        )
        for _ in range(120)
    ]  # fmt: skip
    companies = [{"id": one.company_id, "tenant_id": tenant.id, "name": one.name} for one in made]
    clients = []
    for one in made:
        values = {name: value for name, value in vars(one).items() if name != "name"}
        clients.append({"id": new_id(), "tenant_id": tenant.id, "name_key": one.key, **values})
    async with db.tenant(tenant.id) as session:
        await session.execute(insert(Company), companies)
        await session.execute(insert(Client), clients)
    return made


def some_filter(chance: random.Random, tenant: TenantMade) -> Wanted:
    return Wanted(
        statuses=chance.sample(list(ClientStatus), chance.choice((0, 0, 1, 2))),
        tiers=chance.sample(list(Tier), chance.choice((0, 0, 1, 3))),
        assigned_dm_id=chance.choice((None, None, tenant.admin_id)),
        health_score_min=chance.choice((None, None, Decimal(0), Decimal("49.99"))),
        health_score_max=chance.choice((None, None, Decimal("49.99"), Decimal(100))),
        search=chance.choice(("", "", "  ", " ACM ", "ångSTRÖM", "É", "_", "%", "ß", "nobody")),
    )


async def listed(
    session: Any, wanted: Wanted, sort: ClientSort, *, limit: int = 200, offset: int = 0
) -> tuple[int, Sequence[ClientRow]]:
    return await clients_list.page(session, wanted, sort=sort, limit=limit, offset=offset, now=NOW)


async def test_pages_of_any_filter_and_order_are_what_plain_sorting_gives(
    db: Database, tenant: TenantMade
) -> None:
    chance = random.Random(11)
    made = await fill(db, tenant, chance)
    async with db.tenant(tenant.id) as session:
        for turn in range(120):
            wanted, sort = some_filter(chance, tenant), list(ClientSort)[turn % 4]
            matching = sorted(
                (one for one in made if one.matches(wanted)), key=lambda one: one.place(sort)
            )
            offset, limit = chance.choice((0, 5, 130)), chance.randrange(1, 40)
            total, rows = await listed(session, wanted, sort, limit=limit, offset=offset)
            expected = [one.company_id for one in matching[offset : offset + limit]]
            assert total == len(matching), wanted
            assert [row.company_id for row in rows] == expected, (wanted, sort)


async def test_what_is_computed_is_what_the_rules_say(db: Database, tenant: TenantMade) -> None:
    made = await fill(db, tenant, random.Random(12))
    async with db.tenant(tenant.id) as session:
        _, rows = await listed(session, Wanted(), ClientSort.NAME)
        counted = await clients_list.badges(session, NOW)
    shown = {row.company_id: (row.qbr_overdue_days, row.is_score_stale) for row in rows}
    by_rule = {
        one.company_id: overdue(
            one.status, next_qbr=one.next_qbr_date, last=one.last_qbr_date, tier=one.tier,
            today=NOW.date(),
        )
        for one in made
    }  # fmt: skip
    assert shown == {
        one.company_id: (
            by_rule[one.company_id].qbr_overdue_days,
            is_score_stale(one.tier_track, one.tier_scored_at, NOW),
        )
        for one in made
    }
    assert counted == Badges(
        overdue_qbr_count=sum(found.is_qbr_overdue for found in by_rule.values()),
        low_health_count=sum(is_low(one.status, one.health_score) for one in made),
    )


@pytest.mark.parametrize(
    ("status", "following", "last", "tier", "days"),
    [
        (ClientStatus.ACTIVE, date(2026, 3, 1), None, Tier.CORE, 9),
        (ClientStatus.PROSPECT, date(2026, 3, 1), None, Tier.CORE, 0),
        (ClientStatus.ACTIVE, date(2026, 3, 10), None, Tier.CORE, 0),
        (ClientStatus.ACTIVE, None, date(2025, 11, 5), Tier.CORE, 5),
        (ClientStatus.ACTIVE, None, None, None, 0),
        (ClientStatus.ACTIVE, None, date(9999, 12, 31), Tier.REVIEW, 0),
    ],
)
async def test_the_worked_examples_hold_in_the_list(
    db: Database,
    tenant: TenantMade,
    status: ClientStatus,
    following: date | None,
    last: date | None,
    tier: Tier | None,
    days: int,
) -> None:
    await make_client(
        db, tenant, status=status, next_qbr_date=following, last_qbr_date=last, tier=tier
    )
    async with db.tenant(tenant.id) as session:
        _, (row,) = await listed(session, Wanted(), ClientSort.NAME)
        counted = await clients_list.badges(session, NOW)
    assert (row.qbr_overdue_days, counted.overdue_qbr_count) == (days, int(days > 0))


async def test_a_page_past_the_end_is_empty_and_still_counts(
    db: Database, tenant: TenantMade
) -> None:
    await make_client(db, tenant)
    async with db.tenant(tenant.id) as session:
        assert await listed(session, Wanted(), ClientSort.NAME, offset=2**40) == (1, [])


async def test_the_list_ends_at_the_tenants_wall(db: Database, tenant: TenantMade) -> None:
    await make_client(db, await make_tenant(db))
    async with db.tenant(tenant.id) as session:
        assert await listed(session, Wanted(), ClientSort.NAME) == (0, [])
        assert await clients_list.badges(session, NOW) == (0, 0)
