"""A client's ad campaigns over a period, added up, and what was spent on each day by day.

Source: clients/results.yaml, rules.campaigns. A campaign whose amounts are in two currencies is
two campaigns here, as amounts are never converted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Text,
    and_,
    bindparam,
    cast,
    collate,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import Subquery

from models.db.prepared import Prepared
from models.queries.platforms import results
from models.rules.clients.rounding import SCORE_PLACES
from models.rules.results.campaigns import (
    CampaignSort,
    CampaignStatus,
    Sortable,
    SortDirection,
    Sums,
    in_order,
)
from models.rules.results.currencies import in_order as currencies_in_order
from models.rules.results.currencies import primary_currency
from models.rules.results.periods import Period, prior
from models.tables.results import (
    AdCampaign,
    AdCreative,
    CampaignDaily,
    CampaignReach,
    CreativeDaily,
)

_COMPANY: Final = bindparam("company", type_=Text)
_FIRST: Final = bindparam("first", type_=Date)
_START: Final = bindparam("start", type_=Date)
_LAST: Final = bindparam("last", type_=Date)
_PLATFORM: Final = bindparam("platform", type_=Text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(Sortable):
    """A campaign over a period; `prior_spend` is empty where the period before has no row of it."""

    currency: str
    status: str
    objective: str | None
    daily_budget: Decimal | None
    lifetime_budget: Decimal | None
    creative_title: str | None
    creative_body: str | None
    prior_spend: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InCurrency:
    """The campaigns of one currency: their sums, and what was spent in the period before."""

    currency: str
    parts: Sequence[Sums]
    prior_spend: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The campaigns in their order, and by currency, the primary one first."""

    campaigns: Sequence[Campaign]
    totals: InCurrency
    by_currency: Sequence[InCurrency]


class _Row(NamedTuple):
    """The sums of a campaign in a currency, over the period and over the one before."""

    platform: str
    campaign_id: str
    currency: str
    is_shown: bool
    spend: Decimal
    impressions: int
    clicks: int
    conversions: Decimal
    conversion_value: Decimal
    reach: int | None
    prior_spend: Decimal | None
    name: str | None
    status: str | None
    objective: str | None
    daily_budget: Decimal | None
    lifetime_budget: Decimal | None
    creative_title: str | None
    creative_body: str | None


class _Series(NamedTuple):
    """What was spent on the campaigns of one id, on each day that has a row."""

    campaign_id: str
    days: list[int]
    spends: list[Decimal]


async def breakdown(
    db: AsyncConnection,
    company_id: str,
    period: Period,
    *,
    platform: str | None = None,
    by: CampaignSort = CampaignSort.SPEND,
    direction: SortDirection = SortDirection.DESC,
) -> Breakdown:
    """The campaigns that did anything in the period.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    facts = await results.client_facts(db, company_id)
    rows = await _rows(platform is not None).fetch(db, _bound(company_id, period, platform))
    campaigns = in_order([_campaign(row) for row in rows if row.is_shown], by, direction)
    spend: dict[str, Decimal] = {}
    for one in campaigns:
        spend[one.currency] = spend.get(one.currency, Decimal(0)) + one.sums.spend
    if spend:
        primary = primary_currency(spend, {}, reporting=facts.reporting)
    else:
        primary = await results.primary_currency(db, company_id, period, reporting=facts.reporting)
    by_currency = [
        _in_currency(code, campaigns, rows) for code in currencies_in_order(spend, primary)
    ]
    return Breakdown(
        campaigns=campaigns,
        totals=by_currency[0] if by_currency else _in_currency(primary, campaigns, rows),
        by_currency=by_currency,
    )


async def daily(
    db: AsyncConnection, company_id: str, period: Period, *, platform: str | None = None
) -> Mapping[str, Mapping[int, Decimal]]:
    """What was spent on each campaign id, to the cent, by how many days after the first."""
    bound = _bound(company_id, period, platform)
    series = await _daily(platform is not None).fetch(db, bound)
    return {one.campaign_id: dict(zip(one.days, one.spends, strict=True)) for one in series}


def _bound(company_id: str, period: Period, platform: str | None) -> dict[str, Any]:
    bound: dict[str, Any] = {
        "company": company_id,
        "first": prior(period).start,
        "start": period.start,
        "last": period.end,
    }
    return bound if platform is None else {**bound, "platform": platform}


def _campaign(row: _Row) -> Campaign:
    return Campaign(
        campaign_id=row.campaign_id,
        platform=row.platform,
        # Days may be there before the platform has told anything else.
        name=row.name if row.name is not None else row.campaign_id,
        sums=Sums(
            spend=row.spend,
            impressions=row.impressions,
            clicks=row.clicks,
            conversions=row.conversions,
            conversion_value=row.conversion_value,
            reach=row.reach,
        ),
        currency=row.currency,
        status=row.status or CampaignStatus.UNKNOWN,
        objective=row.objective,
        daily_budget=row.daily_budget,
        lifetime_budget=row.lifetime_budget,
        creative_title=row.creative_title,
        creative_body=row.creative_body,
        prior_spend=row.prior_spend,
    )


def _in_currency(currency: str, campaigns: Sequence[Campaign], rows: Sequence[_Row]) -> InCurrency:
    # Also what was spent before on campaigns that have ended since.
    before = [
        row.prior_spend for row in rows if row.currency == currency and row.prior_spend is not None
    ]
    return InCurrency(
        currency=currency,
        parts=[one.sums for one in campaigns if one.currency == currency],
        prior_spend=sum(before, Decimal(0)) if before else None,
    )


@cache
def _rows(of_platform: bool) -> Prepared[_Row]:
    spent, top = _spent(of_platform), _top_creatives(of_platform)
    same = [
        and_(table.c.platform == spent.c.platform, table.c.campaign_id == spent.c.campaign_id)
        for table in (AdCampaign.__table__, CampaignReach.__table__, top)
    ]
    columns: dict[str, ColumnElement[Any]] = {
        **spent.c,
        "reach": func.coalesce(CampaignReach.reach, spent.c.daily_reach),
        "name": AdCampaign.__table__.c.name,
        "status": AdCampaign.__table__.c.status,
        "objective": func.lower(AdCampaign.objective),
        "daily_budget": AdCampaign.__table__.c.daily_budget,
        "lifetime_budget": AdCampaign.__table__.c.lifetime_budget,
        "creative_title": top.c.title,
        "creative_body": top.c.body,
    }
    return Prepared(
        select(*(columns[name].label(name) for name in _Row._fields))
        .select_from(spent)
        .outerjoin(AdCampaign, and_(AdCampaign.company_id == _COMPANY, same[0]))
        .outerjoin(
            CampaignReach,
            and_(
                CampaignReach.company_id == _COMPANY,
                CampaignReach.period_start == _START,
                CampaignReach.period_end == _LAST,
                same[1],
            ),
        )
        .outerjoin(top, same[2]),
        _Row,
    )


def _spent(of_platform: bool) -> Subquery:
    """The sums of each campaign and currency; 0 where the period itself has no row."""
    is_present = CampaignDaily.day >= _START
    moved = or_(
        CampaignDaily.spend != 0,
        CampaignDaily.impressions != 0,
        CampaignDaily.clicks != 0,
        CampaignDaily.conversions != 0,
    )

    def total(column: Any) -> ColumnElement[Any]:
        return func.coalesce(func.sum(column).filter(is_present), 0)

    def count(column: Any) -> ColumnElement[Any]:
        return cast(total(column), BigInteger)

    key = (CampaignDaily.platform, CampaignDaily.campaign_id, CampaignDaily.currency)
    reach = cast(func.sum(CampaignDaily.reach).filter(is_present), BigInteger)
    return (
        select(
            *key,
            func.bool_or(and_(is_present, moved)).label("is_shown"),
            total(CampaignDaily.spend).label("spend"),
            count(CampaignDaily.impressions).label("impressions"),
            count(CampaignDaily.clicks).label("clicks"),
            total(CampaignDaily.conversions).label("conversions"),
            total(CampaignDaily.conversion_value).label("conversion_value"),
            reach.label("daily_reach"),
            func.sum(CampaignDaily.spend).filter(~is_present).label("prior_spend"),
        )
        .where(*_rows_of(CampaignDaily, _FIRST, of_platform))
        .group_by(*key)
        .subquery("spent")
    )


def _top_creatives(of_platform: bool) -> Subquery:
    """The creative of each campaign with the largest spend in the period."""
    spent = (
        select(
            CreativeDaily.platform,
            CreativeDaily.creative_id,
            func.sum(CreativeDaily.spend).label("spend"),
            func.sum(CreativeDaily.conversions).label("conversions"),
        )
        .where(*_rows_of(CreativeDaily, _START, of_platform))
        .group_by(CreativeDaily.platform, CreativeDaily.creative_id)
        .subquery("spent_on_creatives")
    )
    same = and_(
        AdCreative.platform == spent.c.platform, AdCreative.creative_id == spent.c.creative_id
    )
    return (
        select(AdCreative.platform, AdCreative.campaign_id, AdCreative.title, AdCreative.body)
        .join(spent, same)
        .where(AdCreative.company_id == _COMPANY)
        .ext(distinct_on(AdCreative.platform, AdCreative.campaign_id))
        .order_by(
            AdCreative.platform,
            AdCreative.campaign_id,
            spent.c.spend.desc(),
            spent.c.conversions.desc(),
            collate(AdCreative.creative_id, "C"),
        )
        .subquery("top")
    )


@cache
def _daily(of_platform: bool) -> Prepared[_Series]:
    number = (CampaignDaily.day - _START).label("number")
    spend = func.round(func.sum(CampaignDaily.spend), SCORE_PLACES).label("spend")
    days = (
        select(CampaignDaily.campaign_id, number, spend)
        .where(*_rows_of(CampaignDaily, _START, of_platform))
        .group_by(CampaignDaily.campaign_id, CampaignDaily.day)
        .subquery("spent")
    )
    return Prepared(
        select(
            days.c.campaign_id,
            func.array_agg(aggregate_order_by(days.c.number, days.c.number)).label("days"),
            func.array_agg(aggregate_order_by(days.c.spend, days.c.number)).label("spends"),
        ).group_by(days.c.campaign_id),
        _Series,
    )


def _rows_of(table: Any, first: ColumnElement[Any], of_platform: bool) -> list[ColumnElement[bool]]:
    found = [table.company_id == _COMPANY, table.day.between(first, _LAST)]
    return [*found, table.platform == _PLATFORM] if of_platform else found
