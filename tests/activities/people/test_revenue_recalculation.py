"""Batches of a recalculation on a real database: exact, repeatable, and bounded to their scope."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Row, text
from temporalio.testing import ActivityEnvironment

from activities.people.revenue_recalculation import RevenueSteps
from models.contracts.revenue import FindLinked, Rescore, Rescored, RevenueScope, Surveyed
from models.db.database import Database
from models.queries.people import revenue_recalculation
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client, make_revenue_entry

TODAY = date(2026, 3, 10)
DELIVERY: dict[str, Any] = {
    "tier_track": "delivery", "tier_revenue_score": 1, "tier_profitability_score": Decimal(3),
    "tier_strategic_score": Decimal(4), "tier_relationship_score": Decimal(5),
    "tier_score": Decimal("3.35"), "tier": "core",
}  # fmt: skip
PRODUCT: dict[str, Any] = {
    "tier_track": "product", "tier_revenue_score": 1, "tier_relationship_score": Decimal(4),
    "tier_growth_score": Decimal("3.5"), "tier_adoption_score": Decimal(1),
    "tier_score": Decimal("2.38"), "tier": "standard",
}  # fmt: skip
PLAIN_SUMS = """
with sums as (
    select c.company_id,
           count(e.id) filter (where e.origin <> 'productive') as nucleus,
           coalesce(sum(e.amount) filter (where e.origin <> 'productive'), 0) as ledger,
           coalesce(sum(e.amount) filter (where e.origin = 'productive'), 0) as productive
    from client c left join revenue_entry e on e.company_id = c.company_id
         and e.amount is not null and e.counted_on between '2025-03-01' and '2026-02-28'
    group by c.company_id)
select company_id, round(case when nucleus > 0 then ledger else productive end, 2) as total
from sums order by company_id
"""


@pytest.fixture
async def tenant(db: Database) -> TenantMade:
    return await make_tenant(db, name="Aster")


@pytest.fixture
def steps(db: Database) -> RevenueSteps:
    return RevenueSteps(db)


def order(tenant: TenantMade, *company_ids: str, **changes: Any) -> Rescore:
    plain = Rescore(
        scope=RevenueScope(tenant_id=tenant.id, company_ids=company_ids or None),
        once="run:1", today=TODAY, after="", until=None, without=(), clients=500, batches=10,
    )  # fmt: skip
    return replace(plain, **changes)


async def rows(db: Database, tenant: TenantMade, sql: str, **values: Any) -> list[Row[Any]]:
    async with db.tenant(tenant.id) as session:
        return list((await session.execute(text(sql), values)).all())


async def one(db: Database, tenant: TenantMade, company_id: str) -> Row[Any]:
    (row,) = await rows(db, tenant, "select * from client where company_id = :id", id=company_id)
    return row


async def seen(db: Database, tenant: TenantMade) -> list[list[tuple[Any, ...]]]:
    """Everything that a recalculation may write."""
    return [
        [tuple(row) for row in await rows(db, tenant, f"select * from {table} order by id")]
        for table in ("client", "tier_scoring", "history_event", "audit_entry", "notification")
    ]


async def test_every_total_is_the_plain_sum_and_earns_its_score(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    chance = random.Random(7)
    for number in range(40):
        company_id = await make_client(db, tenant, f"C{number}", **DELIVERY)
        for _ in range(chance.choice([0, 1, 7])):
            amount = f"{chance.uniform(-20_000, 90_000):.{chance.choice([0, 2, 6])}f}"
            month = chance.choice([date(2025, 2, 28), date(2025, 3, 1), date(2026, 2, 28), TODAY])
            await make_revenue_entry(
                db, tenant, company_id, amount, counted_on=month,
                origin=chance.choice(["nucleus", "productive"]),
            )  # fmt: skip
    await rows(
        db, tenant,
        "update revenue_entry set amount = null where id in"
        " (select id from revenue_entry order by id limit 15) returning id",
    )  # fmt: skip
    came = await steps.rescore(order(tenant, clients=7))
    sums = {row.company_id: row.total for row in await rows(db, tenant, PLAIN_SUMS)}
    scored = await rows(db, tenant, "select * from tier_scoring order by company_id")
    bands = [(300_000, 5), (150_000, 4), (75_000, 3), (25_000, 2), (-(10**9), 1)]
    earned = {
        company_id: next(score for lowest, score in bands if total >= lowest)
        for company_id, total in sums.items()
    }
    moved = {company_id: score for company_id, score in earned.items() if score != 1}
    assert {row.company_id: (row.annual_total, row.revenue_score) for row in scored} == {
        company_id: (sums[company_id], score) for company_id, score in moved.items()
    }
    stored = await rows(db, tenant, "select company_id, tier_revenue_score from client")
    assert {row.company_id: row.tier_revenue_score for row in stored} == earned
    changed = sum(row.tier != row.previous_tier for row in scored)
    assert (came.seen, came.updated, came.tier_changes) == (40, len(moved), changed)
    assert 0 < changed < len(moved)


async def test_a_tier_that_changes_has_its_effects_once_however_often_it_is_tried(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    company_id = await make_client(
        db, tenant, "Acme", **DELIVERY, assigned_dm_id=tenant.member_id,
        last_qbr_date=date(2026, 1, 15),
    )  # fmt: skip
    await make_revenue_entry(db, tenant, company_id, "285000")
    first = await steps.rescore(order(tenant))
    before = await seen(db, tenant)
    again = await steps.rescore(order(tenant))
    assert (
        first == again == Rescored(after=company_id, done=True, seen=1, updated=1, tier_changes=1)
    )
    assert await seen(db, tenant) == before
    client = await one(db, tenant, company_id)
    assert (client.tier, client.tier_score, client.tier_revenue_score) == (
        "platinum", Decimal("4.25"), 4,
    )  # fmt: skip
    assert (client.tier_scored_at, client.tier_scored_by) == (None, None)
    events = await rows(db, tenant, "select event_type, actor_id from history_event order by id")
    assert ("client.tier_changed", None) in [tuple(row) for row in events]
    told = await rows(db, tenant, "select kind, principal_id from notification")
    assert [tuple(row) for row in told] == [("client.tier_changed", tenant.member_id)]
    (scoring,) = await rows(db, tenant, "select * from tier_scoring")
    assert (scoring.source, scoring.scored_by, scoring.revenue_source) == ("auto", None, "nucleus")


async def test_the_next_run_finds_nothing_to_change(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    company_id = await make_client(db, tenant, "Acme", **DELIVERY)
    await make_revenue_entry(db, tenant, company_id, "285000")
    await steps.rescore(order(tenant))
    before = await seen(db, tenant)
    came = await steps.rescore(order(tenant, once="run:2"))
    assert (came.seen, came.updated, came.tier_changes) == (1, 0, 0)
    assert await seen(db, tenant) == before


async def test_an_override_stays_and_the_score_beneath_it_is_refreshed(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    scores = DELIVERY | {
        "tier_revenue_override": Decimal(2), "tier_override_reason": "Billed elsewhere",
        "tier_score": Decimal("3.65"),
    }  # fmt: skip
    company_id = await make_client(db, tenant, "Acme", **scores)
    await make_revenue_entry(db, tenant, company_id, "400000")
    came = await steps.rescore(order(tenant))
    client = await one(db, tenant, company_id)
    assert (client.tier_revenue_override, client.tier_override_reason) == (2, "Billed elsewhere")
    assert (client.tier_revenue_score, client.tier_score) == (5, Decimal("3.65"))
    assert (came.updated, came.tier_changes) == (1, 0)


async def test_adoption_is_computed_anew_on_the_product_track(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    company_id = await make_client(db, tenant, "Acme", **PRODUCT)
    async with db.tenant(tenant.id) as session:
        await session.execute(
            text(
                "insert into adoption_week (tenant_id, company_id, week)"
                " select :tenant, :company, date '2026-03-02' - 7 * n"
                " from generate_series(0, 5) n"
            ),
            {"tenant": tenant.id, "company": company_id},
        )
    came = await steps.rescore(order(tenant))
    client = await one(db, tenant, company_id)
    # 1 + 4 * 0.4 * 6 / 12; then 0.3 + 0.25 * 4 + 0.25 * 3.5 + 0.2 * 1.8.
    assert (client.tier_adoption_score, client.tier_score) == (Decimal("1.80"), Decimal("2.54"))
    assert came.updated == 1


async def test_an_adoption_that_moves_no_score_is_written_but_not_counted(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    scores = PRODUCT | {"tier_adoption_score": Decimal("1.02")}
    company_id = await make_client(db, tenant, "Acme", **scores)
    for _ in range(2):
        came = await steps.rescore(order(tenant))
        assert (came.seen, came.updated, came.tier_changes) == (1, 0, 0)
    assert (await one(db, tenant, company_id)).tier_adoption_score == 1


async def test_only_active_clients_with_a_track_are_touched(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    other = await make_tenant(db, name="Borage")
    left = [
        await make_client(db, tenant, f"C{number}", **values)
        for number, values in enumerate(
            ({}, *({**DELIVERY, "status": one} for one in ("prospect", "dormant", "alumni")))
        )
    ]
    for company_id in left:
        await make_revenue_entry(db, tenant, company_id, "285000")
    foreign = await make_client(db, other, "Foreign", **DELIVERY)
    await make_revenue_entry(db, other, foreign, "285000")
    before = [await seen(db, tenant), await seen(db, other)]
    came = await steps.rescore(order(tenant))
    assert came == Rescored(after="", done=True)
    named = await steps.rescore(order(tenant, *left, foreign))
    assert (named.seen, named.updated) == (0, 0)
    assert [await seen(db, tenant), await seen(db, other)] == before


async def test_a_stretch_ends_where_it_is_told_to_and_leaves_out_whom_it_is_told_to(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    ids = [await make_client(db, tenant, f"C{number}", **DELIVERY) for number in range(6)]
    for company_id in ids:
        await make_revenue_entry(db, tenant, company_id, "30000")
    came = await steps.rescore(
        order(tenant, after=ids[0], until=ids[4], without=(ids[2],), clients=2)
    )
    assert (came.done, came.seen, came.updated) == (True, 3, 3)
    scored = await rows(db, tenant, "select company_id from tier_scoring order by company_id")
    assert [row.company_id for row in scored] == [ids[1], ids[3], ids[4]]


async def test_a_step_stops_after_its_batches(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    ids = [await make_client(db, tenant, f"C{number}", **DELIVERY) for number in range(5)]
    came = await steps.rescore(order(tenant, clients=2, batches=2))
    assert came == Rescored(after=ids[3], seen=4)
    rest = await steps.rescore(order(tenant, clients=2, batches=2, after=came.after))
    assert rest == Rescored(after=ids[4], done=True, seen=1)


async def test_an_attempt_goes_on_where_the_one_before_was_heard_of(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    ids = [await make_client(db, tenant, f"C{number}", **DELIVERY) for number in range(5)]
    for company_id in ids:
        await make_revenue_entry(db, tenant, company_id, "30000")
    told: list[Any] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: told.append(details[0])
    await environment.run(steps.rescore, order(tenant, clients=2, batches=2))
    # Two batches are written, and the worker died before it could tell of the second.
    heard = next(one for one in told if one.seen == 2)
    environment.info = replace(environment.info, heartbeat_details=[heard], attempt=2)
    came = await environment.run(steps.rescore, order(tenant, clients=2))
    assert came == Rescored(after=ids[4], done=True, seen=5, updated=5)
    assert len(await rows(db, tenant, "select 1 from tier_scoring")) == 5


async def test_a_batch_that_is_cut_off_leaves_nothing_and_is_whole_the_next_time(
    db: Database, tenant: TenantMade, steps: RevenueSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await make_client(db, tenant, f"C{number}", **DELIVERY) for number in range(3)]
    for company_id in ids:
        await make_revenue_entry(db, tenant, company_id, "285000")
    before = await seen(db, tenant)
    with monkeypatch.context() as patch:
        patch.delattr(revenue_recalculation, "written")
        with pytest.raises(AttributeError):
            await steps.rescore(order(tenant))
    assert await seen(db, tenant) == before
    came = await steps.rescore(order(tenant))
    assert (came.updated, came.tier_changes) == (3, 3)


async def test_what_there_is_to_do_is_told_beforehand(
    db: Database, tenant: TenantMade, steps: RevenueSteps
) -> None:
    ids = [await make_client(db, tenant, f"C{number}", **DELIVERY) for number in range(3)]
    idle = await make_client(db, tenant, "Idle")
    gone = await make_client(db, tenant, "Gone", **DELIVERY, status="alumni")
    everything = RevenueScope(tenant_id=tenant.id, company_ids=None)
    some = replace(everything, company_ids=(ids[0], idle, gone))
    assert await steps.survey(everything) == Surveyed(tenant_name="Aster", clients=3)
    assert await steps.survey(some) == Surveyed(tenant_name="Aster", clients=1)
    async with db.tenant(tenant.id) as session:
        await session.execute(
            text(
                "insert into stripe_link (tenant_id, company_id, stripe_customer_id, linked_by,"
                " linked_at) select tenant_id, company_id, 'cus_' || company_id, :who, now()"
                " from client where company_id <> :not"
            ),
            {"who": tenant.admin_id, "not": ids[1]},
        )
    find = FindLinked(scope=everything, after="", limit=2)
    assert await steps.linked(find) == (ids[0], ids[2])
    assert await steps.linked(replace(find, after=ids[2])) == (idle,)
    # A ledger that is asked for by name is brought up to date whoever is scored.
    assert await steps.linked(replace(find, scope=some, limit=9)) == (ids[0], idle, gone)
