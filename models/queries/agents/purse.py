"""Money under way: worst cases are reserved before a turn, what it cost is settled after.

Every limit above a turn is checked in the transaction that reserves, under the row locks of the
activity, the tenant's month and the campaign, always in this order; parallel runs therefore
cannot overshoot a cap.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.rows import AnyRow
from models.queries.records import events
from models.rules.money import Price
from models.rules.vocabulary import BudgetAlert, EventKind
from models.tables.agent_activities import AgentActivity
from models.tables.agent_runs import LedgerEntry, TenantSpend
from models.tables.campaigns import Campaign
from models.tables.people import Tenant

_ALERT_SHARE = Decimal("0.9")
# Built once: building a statement costs more than sending it.
_HOLD = (
    update(AgentActivity)
    .where(AgentActivity.id == bindparam("activity"))
    .values(reserved_usd=AgentActivity.reserved_usd + bindparam("amount"))
    .returning(
        AgentActivity.spent_usd + AgentActivity.reserved_usd,
        AgentActivity.beyond_cap,
        select(Tenant.monthly_cap_usd)
        .where(Tenant.id == AgentActivity.tenant_id)
        .scalar_subquery(),
    )
)
_TAKE_OF_CAMPAIGN = (
    update(Campaign)
    .where(
        Campaign.id == bindparam("campaign"),
        or_(
            Campaign.budget_cap_usd.is_(None),
            Campaign.spent_usd + Campaign.reserved_usd + bindparam("amount")
            <= Campaign.budget_cap_usd,
        ),
    )
    .values(reserved_usd=Campaign.reserved_usd + bindparam("amount"))
)
# Rows are locked in one order by all: the run (as by `turns_write.run_with_state`, so that a late
# attempt that settles and a new one that opens wait for each other), the activity, the month, the
# campaign. Each part counts the one before it, which makes that come first.
_SETTLE = text(
    """
    with run as (
        select * from agent_run where id = :run_id for update
    ), closed as (
        update llm_turn
        set status = :status, cost_usd = :cost, reserved_usd = 0, stop_reason = :stop_reason,
            ended_at = :at, input_tokens = :input_tokens, output_tokens = :output_tokens,
            cache_write_tokens = :cache_write_tokens, cache_read_tokens = :cache_read_tokens
        from run
        where run_id = run.id and llm_turn.number = :turn and attempt = :attempt
          and llm_turn.status = 'open'
        returning llm_turn.*
    ), entry as (
        insert into ledger_entry (
            tenant_id, campaign_id, activity_id, run_id, turn, attempt, agent_role, model,
            price_effective_from, cost_usd,
            input_tokens, output_tokens, cache_write_tokens, cache_read_tokens
        )
        select run.tenant_id, :campaign_id, run.activity_id, run.id, :turn, :attempt,
               run.agent_role, run.model, :price_effective_from, c.cost_usd,
               c.input_tokens, c.output_tokens, c.cache_write_tokens, c.cache_read_tokens
        from run, closed as c
        where c.cost_usd <> 0 or 0 <>
            c.input_tokens + c.output_tokens + c.cache_write_tokens + c.cache_read_tokens
    ), totals as (
        update agent_run as r
        set input_tokens = r.input_tokens
                + c.input_tokens + c.cache_write_tokens + c.cache_read_tokens,
            output_tokens = r.output_tokens + c.output_tokens,
            cost_usd = r.cost_usd + c.cost_usd
        from closed as c
        where r.id = c.run_id
    ), activity as (
        update agent_activity as a
        set reserved_usd = a.reserved_usd - :reserved, spent_usd = a.spent_usd + :cost
        from closed as c
        where a.id = c.activity_id
        returning a.tenant_id
    ), month as (
        update tenant_spend as m
        set reserved_usd = m.reserved_usd - :reserved, spent_usd = m.spent_usd + :cost
        from activity
        where m.tenant_id = activity.tenant_id and m.month = cast(:month as date)
        returning 1
    )
    update campaign
    set reserved_usd = reserved_usd - case when :beyond_cap then 0 else :reserved end,
        beyond_cap_usd = beyond_cap_usd - case when :beyond_cap then :reserved else 0 end,
        spent_usd = spent_usd + :cost
    where id = :campaign_id
      and (select count(*) from activity) = 1 and (select count(*) from month) <= 1
    returning tenant_id, id, spent_usd, budget_cap_usd, alerted_90_cap, alerted_100_cap
    """
)


class Reserved(StrEnum):
    """What came of a wish to reserve."""

    YES = "yes"
    ACTIVITY_LIMIT = "activity_limit"
    TENANT_LIMIT = "tenant_limit"
    CAP_REACHED = "cap_reached"
    CONTENDED = "contended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The answer: for a yes, where the money was set aside."""

    outcome: Reserved
    amount: Decimal = Decimal(0)
    beyond_cap: bool = False
    month: date | None = None
    limit: Decimal | None = None


async def reserve(
    db: AsyncConnection,
    *,
    tenant_id: str,
    activity_id: str,
    campaign_id: str,
    amount: Decimal,
    activity_limit: Decimal | None,
    at: datetime,
) -> Reservation:
    """Set the worst case of one turn aside, or say which limit stands against it."""
    held = await db.execute(_HOLD, {"activity": activity_id, "amount": amount})
    committed, beyond_cap, monthly_cap = held.one()
    if activity_limit is not None and committed > activity_limit:
        await _unhold(db, activity_id, amount)
        return Reservation(outcome=Reserved.ACTIVITY_LIMIT, limit=activity_limit)
    month = date(at.year, at.month, 1)
    refused = None
    if monthly_cap is not None:
        refused = await _reserve_of_tenant(db, tenant_id, month, amount, monthly_cap)
    if refused is None:
        refused = await _reserve_of_campaign(db, campaign_id, amount, beyond_cap)
        if refused is not None and monthly_cap is not None:
            await _give_back_to_tenant(db, tenant_id, month, amount)
    if refused is not None:
        await _unhold(db, activity_id, amount)
        return refused
    return Reservation(
        outcome=Reserved.YES,
        amount=amount,
        beyond_cap=beyond_cap,
        month=None if monthly_cap is None else month,
    )


async def reserve_of_month(
    db: AsyncConnection, *, tenant_id: str, amount: Decimal, at: datetime
) -> Reservation:
    """Set the worst case of a call aside that belongs to no campaign: the month alone bounds it."""
    found = await db.execute(select(Tenant.monthly_cap_usd).where(Tenant.id == tenant_id))
    cap = found.scalar_one()
    if cap is None:
        return Reservation(outcome=Reserved.YES, amount=amount)
    month = date(at.year, at.month, 1)
    refused = await _reserve_of_tenant(db, tenant_id, month, amount, cap)
    return refused or Reservation(outcome=Reserved.YES, amount=amount, month=month)


async def _unhold(db: AsyncConnection, activity_id: str, amount: Decimal) -> None:
    await db.execute(
        update(AgentActivity)
        .where(AgentActivity.id == activity_id)
        .values(reserved_usd=AgentActivity.reserved_usd - amount)
    )


async def _reserve_of_tenant(
    db: AsyncConnection, tenant_id: str, month: date, amount: Decimal, cap: Decimal
) -> Reservation | None:
    await db.execute(
        insert(TenantSpend).values(tenant_id=tenant_id, month=month).on_conflict_do_nothing()
    )
    taken = await db.execute(
        update(TenantSpend)
        .where(
            TenantSpend.tenant_id == tenant_id,
            TenantSpend.month == month,
            TenantSpend.spent_usd + TenantSpend.reserved_usd + amount <= cap,
        )
        .values(reserved_usd=TenantSpend.reserved_usd + amount)
    )
    return None if taken.rowcount else Reservation(outcome=Reserved.TENANT_LIMIT, limit=cap)


async def _give_back_to_tenant(
    db: AsyncConnection, tenant_id: str, month: date, amount: Decimal
) -> None:
    await db.execute(
        update(TenantSpend)
        .where(TenantSpend.tenant_id == tenant_id, TenantSpend.month == month)
        .values(reserved_usd=TenantSpend.reserved_usd - amount)
    )


async def _reserve_of_campaign(
    db: AsyncConnection, campaign_id: str, amount: Decimal, beyond_cap: bool
) -> Reservation | None:
    mine = Campaign.id == campaign_id
    if beyond_cap:
        await db.execute(
            update(Campaign).where(mine).values(beyond_cap_usd=Campaign.beyond_cap_usd + amount)
        )
        return None
    taken = await db.execute(_TAKE_OF_CAMPAIGN, {"campaign": campaign_id, "amount": amount})
    if taken.rowcount:
        return None
    found = await db.execute(select(Campaign.budget_cap_usd, Campaign.spent_usd).where(mine))
    cap, spent = found.one()
    # What is reserved may come back; only what is spent is gone for good.
    gone = cap is not None and spent + amount > cap
    return Reservation(outcome=Reserved.CAP_REACHED if gone else Reserved.CONTENDED, limit=cap)


async def settle(
    db: AsyncConnection,
    row: AnyRow | Any,
    *,
    campaign_id: str,
    status: str,
    counters: dict[str, int],
    price: Price,
    cost: Decimal,
    stop_reason: str | None,
    at: datetime,
) -> bool:
    """Close an open attempt: give its reservation back, book what it cost; False if that was done.

    `row` has the attempt's key (`run_id`, `number`, `attempt`) and where its money was reserved
    (`reserved_usd`, `beyond_cap`, `reserved_month`). The ledger, the run, the activity, the month
    and the campaign move together; alerts are sent at 90 and 100 percent of the campaign's cap.
    """
    settled = await db.execute(
        _SETTLE,
        {
            "run_id": row.run_id, "turn": row.number, "attempt": row.attempt,
            "reserved": row.reserved_usd, "beyond_cap": row.beyond_cap, "month": row.reserved_month,
            "campaign_id": campaign_id, "status": status, "stop_reason": stop_reason, "at": at,
            "price_effective_from": price.effective_from, "cost": cost, **counters,
        },
    )  # fmt: skip
    campaign = settled.one_or_none()
    if campaign is None:
        return False
    await _alert(db, campaign.tenant_id, campaign)
    return True


async def _alert(db: AsyncConnection, tenant_id: str, row: AnyRow) -> None:
    cap = row.budget_cap_usd
    if cap is None:
        return
    if row.spent_usd >= cap * _ALERT_SHARE and row.alerted_90_cap != cap:
        await _send(db, tenant_id, row, BudgetAlert.CAP_90)
    if row.spent_usd >= cap and row.alerted_100_cap != cap:
        await _send(db, tenant_id, row, BudgetAlert.CAP_100)


async def _send(db: AsyncConnection, tenant_id: str, row: AnyRow, alert: BudgetAlert) -> None:
    column = Campaign.alerted_90_cap if alert is BudgetAlert.CAP_90 else Campaign.alerted_100_cap
    await db.execute(
        update(Campaign).where(Campaign.id == row.id).values({column: row.budget_cap_usd})
    )
    payload = {
        "type": alert,
        "campaignId": row.id,
        "spentUsd": float(row.spent_usd),
        "capUsd": float(row.budget_cap_usd),
    }
    await events.publish(db, tenant_id, EventKind.BUDGET_ALERT, payload)


async def alert_exhausted(db: AsyncConnection, tenant_id: str, campaign_id: str) -> None:
    """Send the 100 percent alert when what is left of the cap cannot pay for another turn."""
    found = await db.execute(
        select(
            Campaign.id, Campaign.spent_usd, Campaign.budget_cap_usd,
            Campaign.alerted_90_cap, Campaign.alerted_100_cap,
        )
        .where(Campaign.id == campaign_id)
        .with_for_update()
    )  # fmt: skip
    row = found.one()
    if row.budget_cap_usd is None or row.alerted_100_cap == row.budget_cap_usd:
        return
    if row.alerted_90_cap != row.budget_cap_usd:
        await _send(db, tenant_id, row, BudgetAlert.CAP_90)
    await _send(db, tenant_id, row, BudgetAlert.CAP_100)


async def ledger_total(db: AsyncConnection, campaign_id: str) -> Decimal:
    """What the ledger adds up to for a campaign; must equal its `spent_usd`."""
    total = select(func.coalesce(func.sum(LedgerEntry.cost_usd), 0))
    found = await db.execute(total.where(LedgerEntry.campaign_id == campaign_id))
    return Decimal(found.scalar_one())
