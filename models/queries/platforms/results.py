"""A client's results over a period: its metrics, its goals, the newest insight, its platforms.

Source: clients/results.yaml. Nothing is asked of a platform here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from sqlalchemy import Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.prepared import Prepared
from models.errors import NotFound
from models.queries.platforms import insights, stored_days
from models.queries.platforms.connections import IS_ACTIVE
from models.queries.platforms.insights import InsightRow
from models.rules.clients.metrics import MetricKind, metric_of
from models.rules.clients.vocabulary import PeriodType
from models.rules.platforms.registry import PLATFORMS
from models.rules.results.measured import Measured, Target, measured, primary_of
from models.rules.results.periods import Period, prior
from models.tables.clients import Client
from models.tables.clients_reviews import ClientGoal
from models.tables.people import Tenant
from models.tables.platforms import PlatformConnection

_ORDER: Final[Mapping[str, int]] = MappingProxyType(
    {platform.value: at for at, platform in enumerate(PLATFORMS)}
)


class ClientFacts(NamedTuple):
    """What results need to know of a client besides its numbers."""

    reporting: str
    platforms: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A client's results over a period."""

    period: Period
    prior_period: Period
    metrics: Sequence[Measured]
    insight: InsightRow | None
    connected_platforms: Sequence[str]


class _Goal(NamedTuple):
    metric: str
    target: Decimal
    unit: str | None
    period: str


async def of_period(db: AsyncConnection, company_id: str, period: Period) -> Results:
    """The client's results over a period, against the one before and its goals.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    facts = await client_facts(db, company_id)
    return Results(
        period=period,
        prior_period=prior(period),
        metrics=await metrics(db, company_id, period, reporting=facts.reporting),
        insight=await insights.newest(db, company_id, ends_in=period),
        connected_platforms=facts.platforms,
    )


async def client_facts(db: AsyncConnection, company_id: str) -> ClientFacts:
    """The tenant's currency and the client's active platforms, in the registry's order.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    found = await _facts().fetch(db, {"company": company_id})
    if not found:
        raise NotFound("There is no such client.")
    (facts,) = found
    return facts._replace(platforms=sorted(facts.platforms, key=_ORDER.__getitem__))


async def metrics(
    db: AsyncConnection, company_id: str, period: Period, *, reporting: str
) -> list[Measured]:
    """The metrics that the period has data for, in the order of a response."""
    present, before = await stored_days.of_periods(db, company_id, period)
    targets = await _goals(db, company_id)
    return measured(present, before, period=period, targets=targets, reporting=reporting)


async def metrics_between(
    db: AsyncConnection, company_id: str, start: date, end: date, *, reporting: str
) -> list[Measured]:
    """The metrics of any stretch of days, against the equally long one before.

    What is aimed at as a sum is aimed at for a week, a month, a quarter or a year, and a stretch
    of days is none of them: sums have no target here.
    """
    window = Period(type=PeriodType.QUARTER, start=start, end=end)
    # A review may be recorded as of any day, and before the first day there is none.
    first = date.fromordinal(max(start.toordinal() - window.days, 1))
    present, before = await stored_days.of_window(
        db, company_id, first=first, start=start, last=end
    )
    targets = [
        goal
        for goal in await _goals(db, company_id)
        if metric_of(goal.metric).kind is not MetricKind.SUM
    ]
    return measured(present, before, period=window, targets=targets, reporting=reporting)


async def _goals(db: AsyncConnection, company_id: str) -> list[Target]:
    goals = await _targets().fetch(db, {"company": company_id})
    return [Target(**goal._asdict() | {"period": PeriodType(goal.period)}) for goal in goals]


async def primary_currency(
    db: AsyncConnection, company_id: str, period: Period, *, reporting: str
) -> str:
    """The currency that the account-level metrics of a period put first."""
    present, _ = await stored_days.of_periods(db, company_id, period)
    return primary_of(present, reporting=reporting)


@cache
def _facts() -> Prepared[ClientFacts]:
    reporting = select(Tenant.currency).scalar_subquery()
    active = (
        select(PlatformConnection.platform)
        .where(
            PlatformConnection.company_id == bindparam("company", type_=Text),
            IS_ACTIVE,
        )
        .scalar_subquery()
    )
    return Prepared(
        select(reporting.label("reporting"), func.array(active).label("platforms")).where(
            Client.company_id == bindparam("company", type_=Text)
        ),
        ClientFacts,
    )


@cache
def _targets() -> Prepared[_Goal]:
    """The newest goal of each metric, unit and period, the newest of all first."""
    newest = (
        select(
            ClientGoal.metric, ClientGoal.target, ClientGoal.unit, ClientGoal.period,
            ClientGoal.created_at, ClientGoal.id,
        )
        .where(ClientGoal.company_id == bindparam("company", type_=Text))
        .ext(distinct_on(ClientGoal.metric, ClientGoal.unit, ClientGoal.period))
        .order_by(
            ClientGoal.metric, ClientGoal.unit, ClientGoal.period,
            ClientGoal.created_at.desc(), ClientGoal.id.desc(),
        )
        .subquery("newest")
    )  # fmt: skip
    return Prepared(
        select(*(newest.c[name] for name in _Goal._fields)).order_by(
            newest.c.created_at.desc(), newest.c.id.desc()
        ),
        _Goal,
    )
