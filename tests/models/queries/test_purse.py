"""Money under way against the plainest model of it: no order of events breaks a limit or a sum."""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from activities.llm.prices import PRICES
from models.db.database import Database
from models.queries.agents import purse
from models.queries.agents.purse import Reservation, Reserved
from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import TenantSpend
from models.tables.campaigns import Campaign
from models.tables.people import Tenant
from tests.factories.agents import (
    TenantMade,
    make_activity,
    make_campaign,
    make_tenant,
    make_turn,
)

T = TypeVar("T")
NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
MICRO = Decimal("0.000001")
COUNTERS = {
    "input_tokens": 1, "output_tokens": 1, "cache_write_tokens": 0, "cache_read_tokens": 0,
}  # fmt: skip
amounts = st.integers(1, 3_000_000).map(lambda micros: micros * MICRO)
caps = st.none() | st.integers(1, 8_000_000).map(lambda micros: micros * MICRO)


@dataclass(kw_only=True)
class Till:
    """One tenant with a campaign and three activities, and what a turn does with its money."""

    database: Database
    tenant: TenantMade
    campaign_id: str
    activity_ids: list[str]
    turns: int = field(default=0)

    @classmethod
    async def opened(cls, database: Database, cap: Decimal | None, month: Decimal | None) -> "Till":
        tenant = await make_tenant(database)
        campaign_id = await make_campaign(database, tenant, budget_cap_usd=cap)
        activities = [await make_activity(database, tenant, campaign_id) for _ in range(3)]
        async with database.tenant(tenant.id) as db:
            mine = update(Tenant).where(Tenant.id == tenant.id)
            await db.execute(mine.values(monthly_cap_usd=month))
        return cls(
            database=database, tenant=tenant, campaign_id=campaign_id, activity_ids=activities
        )

    async def reserve(
        self, activity_id: str, amount: Decimal, limit: Decimal | None = None
    ) -> Reservation:
        async with self.database.tenant(self.tenant.id) as db:
            return await purse.reserve(
                db,
                tenant_id=self.tenant.id,
                activity_id=activity_id,
                campaign_id=self.campaign_id,
                amount=amount,
                activity_limit=limit,
                at=NOW,
            )

    async def settle(self, activity_id: str, reservation: Reservation, cost: Decimal) -> None:
        """Give the reservation back and book the cost, as the end of a turn does."""
        self.turns += 1
        turn = await make_turn(
            self.database, self.tenant, activity_id, number=self.turns,
            reserved_usd=reservation.amount, beyond_cap=reservation.beyond_cap,
            reserved_month=reservation.month,
        )  # fmt: skip
        booking: dict[str, Any] = {
            "campaign_id": self.campaign_id, "status": "settled", "counters": COUNTERS,
            "price": PRICES[0], "cost": cost, "stop_reason": "end", "at": NOW,
        }  # fmt: skip
        async with self.database.tenant(self.tenant.id) as db:
            assert await purse.settle(db, turn, **booking)
            assert not await purse.settle(db, turn, **booking), "settled twice"

    async def change_cap(self, cap: Decimal | None) -> None:
        async with self.database.tenant(self.tenant.id) as db:
            mine = update(Campaign).where(Campaign.id == self.campaign_id)
            await db.execute(mine.values(budget_cap_usd=cap))

    async def authorize(self, activity_id: str) -> None:
        async with self.database.tenant(self.tenant.id) as db:
            mine = update(AgentActivity).where(AgentActivity.id == activity_id)
            await db.execute(mine.values(beyond_cap=True))

    async def books(self) -> tuple[Any, list[Any], Any, Decimal]:
        """The campaign, its activities, the tenant's month and the ledger's sum."""
        async with self.database.tenant(self.tenant.id) as db:
            campaign = (
                await db.execute(select(Campaign.__table__).where(Campaign.id == self.campaign_id))
            ).one()
            activities = (await db.execute(select(AgentActivity.__table__))).all()
            month = (await db.execute(select(TenantSpend.__table__))).one_or_none()
            return (
                campaign,
                list(activities),
                month,
                await purse.ledger_total(db, self.campaign_id),
            )


@dataclass(frozen=True)
class Held:
    """One reservation that is not settled yet."""

    activity_id: str
    reservation: Reservation


class Purse(RuleBasedStateMachine):
    """Turns are reserved and settled while people move the cap and let activities pass it."""

    database: Database
    loop: asyncio.AbstractEventLoop
    reservations: Bundle[Held] = Bundle("reservations")

    @initialize(cap=caps, month=caps)
    def open(self, cap: Decimal | None, month: Decimal | None) -> None:
        self.till = self.run(Till.opened(self.database, cap, month))
        self.cap, self.month = cap, month
        self.held: list[Held] = []
        self.authorized: set[str] = set()
        self.spent = Decimal(0)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def reserved(self, *, beyond: bool) -> Decimal:
        mine = [held.reservation for held in self.held if held.reservation.beyond_cap is beyond]
        return sum((one.amount for one in mine), start=Decimal(0))

    @rule(target=reservations, who=st.integers(0, 2), amount=amounts, limit=caps)
    def reserve(self, who: int, amount: Decimal, limit: Decimal | None) -> Any:
        activity_id = self.till.activity_ids[who]
        committed = self.spent + self.reserved(beyond=False)
        everything = committed + self.reserved(beyond=True)
        answer = self.run(self.till.reserve(activity_id, amount, limit))
        if answer.outcome is not Reserved.YES:
            assert self.is_refused_rightly(answer.outcome, activity_id, amount, committed)
            return multiple()
        assert self.month is None or everything + amount <= self.month
        if activity_id not in self.authorized:
            assert self.cap is None or committed + amount <= self.cap
        held = Held(activity_id, answer)
        self.held.append(held)
        return held

    def is_refused_rightly(
        self, outcome: Reserved, activity_id: str, amount: Decimal, committed: Decimal
    ) -> bool:
        if outcome is Reserved.ACTIVITY_LIMIT:
            return True
        if outcome is Reserved.TENANT_LIMIT:
            everything = committed + self.reserved(beyond=True)
            return self.month is not None and everything + amount > self.month
        if self.cap is None or activity_id in self.authorized:
            return False
        gone = self.spent + amount > self.cap
        return committed + amount > self.cap and (outcome is Reserved.CAP_REACHED) is gone

    @rule(held=consumes(reservations), share=st.integers(0, 100))
    def settle(self, held: Held, share: int) -> None:
        cost = (held.reservation.amount * share / 100).quantize(MICRO)
        self.run(self.till.settle(held.activity_id, held.reservation, cost))
        self.held.remove(held)
        self.spent += cost

    @rule(cap=caps)
    def change_cap(self, cap: Decimal | None) -> None:
        self.run(self.till.change_cap(cap))
        self.cap = cap

    @rule(who=st.integers(0, 2))
    def authorize(self, who: int) -> None:
        self.run(self.till.authorize(self.till.activity_ids[who]))
        self.authorized.add(self.till.activity_ids[who])

    @invariant()
    def sums_agree(self) -> None:
        campaign, activities, month, ledger = self.run(self.till.books())
        reserved, beyond = self.reserved(beyond=False), self.reserved(beyond=True)
        assert (campaign.spent_usd, campaign.reserved_usd) == (self.spent, reserved)
        assert campaign.beyond_cap_usd == beyond
        assert ledger == self.spent
        assert sum(one.spent_usd for one in activities) == self.spent
        assert sum(one.reserved_usd for one in activities) == reserved + beyond
        if month is not None:
            assert (month.spent_usd, month.reserved_usd) == (self.spent, reserved + beyond)


def test_no_order_of_events_breaks_a_limit_or_a_sum(database_url: str) -> None:
    loop = asyncio.new_event_loop()
    database = Database(database_url, pool_size=1)

    class Here(Purse):
        pass

    Here.database, Here.loop = database, loop
    try:
        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=20, stateful_step_count=20, deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    finally:
        loop.run_until_complete(database.close())
        loop.close()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("monthly", [None, Decimal("1.50")])
async def test_turns_that_race_on_many_connections_never_pass_a_cap(
    db: Database, seed: int, monthly: Decimal | None
) -> None:
    chance = random.Random(seed)
    cap = Decimal("1.00")
    till = await Till.opened(db, cap, monthly)
    over: list[str] = []
    done = asyncio.Event()

    async def turns(worker: int) -> int:
        granted = 0
        for _ in range(20):
            activity_id = till.activity_ids[worker % 3]
            answer = await till.reserve(activity_id, chance.randrange(1, 90_000) * MICRO)
            if answer.outcome is Reserved.YES:
                granted += 1
                await asyncio.sleep(chance.random() / 200)
                share = chance.randrange(0, 101)
                cost = (answer.amount * share / 100).quantize(MICRO)
                await till.settle(activity_id, answer, cost)
        return granted

    async def watch() -> None:
        while not done.is_set():
            campaign, *_ = await till.books()
            if campaign.spent_usd + campaign.reserved_usd > cap:
                over.append(f"{campaign.spent_usd} + {campaign.reserved_usd}")
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    granted = await asyncio.gather(*(turns(worker) for worker in range(12)))
    done.set()
    await watching
    campaign, activities, month, ledger = await till.books()
    assert over == []
    assert sum(granted) > 10
    assert campaign.reserved_usd == 0
    assert campaign.spent_usd == ledger
    assert month is None or month.spent_usd == ledger
    assert [one.reserved_usd for one in activities] == [0, 0, 0]
