"""What is stored of the days of two periods, added up over platforms and accounts.

Source: clients/results.yaml, rules.metrics and rules.currency. PostgreSQL gives a number for each
metric, currency and day; the rules make those of a period of them. A count that is divided with
money is given once more for each currency of that money, of the accounts that have it alone.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Numeric,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.prepared import Prepared
from models.rules.results.aggregation import DayValue
from models.rules.results.measured import BESIDE_MONEY, MONEY, WEIGHTS, Days, Stored
from models.rules.results.periods import Period, prior
from models.tables.people import Tenant
from models.tables.results import MetricSnapshot

_WEIGHTED: Final = bindparam(None, list(WEIGHTS), type_=ARRAY(Text))


class _Series(NamedTuple):
    """The days of a metric in a currency, as numbers; of a weighted one with their weights."""

    is_present: bool
    is_beside: bool
    metric_key: str
    currency: str | None
    days: list[int]
    amounts: list[Decimal]
    weights: list[Decimal | None]


async def of_periods(db: AsyncConnection, company_id: str, period: Period) -> tuple[Stored, Stored]:
    """What is stored of the period and of the one before."""
    return await of_window(
        db, company_id, first=prior(period).start, start=period.start, last=period.end
    )


async def of_window(
    db: AsyncConnection, company_id: str, *, first: date, start: date, last: date
) -> tuple[Stored, Stored]:
    """What is stored from `start` to `last`, and from `first` up to `start`; days from `first`."""
    bound: dict[str, str | date] = {
        "company": company_id,
        "first": first,
        "start": start,
        "last": last,
    }
    series = await _series().fetch(db, bound)
    return (
        _by_metric(one for one in series if one.is_present),
        _by_metric(one for one in series if not one.is_present),
    )


def _by_metric(series: Iterable[_Series]) -> Stored:
    days: dict[tuple[str, str | None], Days] = {}
    beside: dict[tuple[str, str], Days] = {}
    for one in series:
        if one.is_beside and one.currency is not None:
            beside[one.metric_key, one.currency] = _days(one)
        else:
            days[one.metric_key, one.currency] = _days(one)
    return Stored(days=days, beside=beside)


def _days(one: _Series) -> Days:
    if one.metric_key not in WEIGHTS:
        return dict(zip(one.days, map(DayValue, one.amounts), strict=True))
    return {
        day: DayValue(Fraction(amount) / Fraction(weight) if weight else amount, weight or _NOTHING)
        for day, amount, weight in zip(one.days, one.amounts, one.weights, strict=True)
    }


_NOTHING: Final = Decimal(0)


@cache
def _series() -> Prepared[_Series]:
    stored = _stored()
    daily = union_all(_plain(stored), _weighted(stored), _beside(stored)).subquery("daily")
    key = (daily.c.is_present, daily.c.is_beside, daily.c.metric_key, daily.c.currency)
    return Prepared(
        select(
            *key,
            _in_order(daily.c.number, daily.c.number).label("days"),
            _in_order(daily.c.amount, daily.c.number).label("amounts"),
            _in_order(daily.c.weight, daily.c.number).label("weights"),
        ).group_by(*key),
        _Series,
    )


def _in_order(column: ColumnElement[Any], by: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.array_agg(aggregate_order_by(column, by))


def _stored() -> CTE:
    """The rows of both periods; money whose currency nobody told is taken for the tenant's own."""
    first, start = (bindparam(name, type_=Date) for name in ("first", "start"))
    currency = case(
        (
            MetricSnapshot.metric_key == func.any(bindparam(None, list(MONEY), type_=ARRAY(Text))),
            func.coalesce(MetricSnapshot.currency, select(Tenant.currency).scalar_subquery()),
        ),
        else_=cast(null(), Text),
    )
    return (
        select(
            (MetricSnapshot.day >= start).label("is_present"),
            (MetricSnapshot.day - first).label("number"),
            MetricSnapshot.metric_key,
            MetricSnapshot.platform,
            MetricSnapshot.account_id,
            currency.label("currency"),
            MetricSnapshot.value,
        )
        .where(
            MetricSnapshot.company_id == bindparam("company", type_=Text),
            MetricSnapshot.day.between(first, bindparam("last", type_=Date)),
        )
        .cte("stored")
    )


def _plain(stored: CTE) -> Select[*tuple[Any, ...]]:
    key = (stored.c.is_present, stored.c.metric_key, stored.c.currency, stored.c.number)
    return (
        select(
            stored.c.is_present,
            literal(False).label("is_beside"),
            stored.c.metric_key,
            stored.c.currency,
            stored.c.number,
            func.sum(stored.c.value).label("amount"),
            cast(null(), Numeric).label("weight"),
        )
        .where(stored.c.metric_key != func.all(_WEIGHTED))
        .group_by(*key)
    )


def _weighted(stored: CTE) -> Select[*tuple[Any, ...]]:
    """Values times their weights; on a day without any weight the mean of the accounts."""
    other = stored.alias("weights")
    weight = func.coalesce(func.sum(other.c.value), 0)
    return (
        select(
            stored.c.is_present,
            literal(False),
            stored.c.metric_key,
            cast(null(), Text),
            stored.c.number,
            case(
                (weight != 0, func.sum(stored.c.value * other.c.value)),
                else_=func.avg(stored.c.value),
            ),
            weight,
        )
        .select_from(stored)
        .outerjoin(
            other,
            and_(
                other.c.metric_key == case(dict(WEIGHTS), value=stored.c.metric_key),
                other.c.number == stored.c.number,
                *_same_account(stored, other),
            ),
        )
        .where(stored.c.metric_key == func.any(_WEIGHTED))
        .group_by(stored.c.is_present, stored.c.metric_key, stored.c.number)
    )


def _beside(stored: CTE) -> Select[*tuple[Any, ...]]:
    """The counts of the accounts that have money in a currency in the period.

    Of an account that has it in several, a day counts for the currency that it has on that day.
    """
    money = (
        select(
            stored.c.is_present, stored.c.platform, stored.c.account_id,
            stored.c.metric_key, stored.c.currency,
        )
        .where(stored.c.metric_key == func.any(_array(set(BESIDE_MONEY.values()))))
        .distinct()
        .subquery("money")
    )  # fmt: skip
    that_day = stored.alias("that_day")
    return (
        select(
            stored.c.is_present,
            literal(True),
            stored.c.metric_key,
            money.c.currency,
            stored.c.number,
            func.sum(stored.c.value),
            cast(null(), Numeric),
        )
        .select_from(stored)
        .join(
            money,
            and_(
                money.c.metric_key == case(dict(BESIDE_MONEY), value=stored.c.metric_key),
                money.c.is_present == stored.c.is_present,
                *_same_account(stored, money),
            ),
        )
        .outerjoin(
            that_day,
            and_(
                that_day.c.metric_key == money.c.metric_key,
                that_day.c.number == stored.c.number,
                *_same_account(stored, that_day),
            ),
        )
        .where(
            stored.c.metric_key == func.any(_array(BESIDE_MONEY)),
            or_(that_day.c.currency.is_(None), that_day.c.currency == money.c.currency),
        )
        .group_by(stored.c.is_present, stored.c.metric_key, money.c.currency, stored.c.number)
    )


def _array(keys: Iterable[str]) -> ColumnElement[Any]:
    return bindparam(None, sorted(keys), type_=ARRAY(Text))


def _same_account(one: Any, other: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return one.c.platform == other.c.platform, one.c.account_id == other.c.account_id
