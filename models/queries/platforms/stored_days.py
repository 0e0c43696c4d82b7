"""What is stored of two periods, added up over days, platforms and accounts.

Source: clients/results.yaml, rules.metrics and rules.currency. A count that is divided with money
is given once more for each currency of that money, of the accounts that have it alone.

The rows are read and sorted once. Nothing is joined with itself: the planner thinks that there are
few of them, and would do so row by row.

Names inside the statement are short because psycopg takes texts of more than 4096 characters apart
each time anew.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Integer,
    Numeric,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.prepared import Prepared
from models.rules.clients.metrics import METRICS, MetricKind
from models.rules.results.aggregation import Series
from models.rules.results.measured import BESIDE_MONEY, MONEY, WEIGHTS, Stored
from models.rules.results.periods import Period, prior
from models.tables.people import Tenant
from models.tables.results import MetricSnapshot

_LATEST: Final = tuple(key for key, one in METRICS.items() if one.kind is MetricKind.LAST)
_DIVIDED: Final = frozenset(
    part for one in METRICS.values() for part in (one.numerator, one.denominator) if part
)
"""The metrics whose single days are asked for: a ratio is averaged over its days."""


def _families() -> Mapping[str, str]:
    """The metrics that are looked at together on a day of an account, by the one they are after.

    That is money, for the counts that are divided with it, and a weight for what it weighs.
    """
    found = dict(BESIDE_MONEY) | dict(WEIGHTS)
    heads = {head: head for head in found.values()}
    if len(found) != len(BESIDE_MONEY) + len(WEIGHTS) or heads.keys() & found.keys():
        raise LookupError("a metric belongs to two families")
    return MappingProxyType(found | heads)


_FAMILIES: Final = _families()
_NONE: Final = literal_column("0", Integer)


class _Row(NamedTuple):
    """A metric in a currency over one of the periods; see `Series`.

    `days` is empty where none is missing from the first to the last.
    """

    is_present: bool
    is_beside: bool
    metric_key: str
    currency: str | None
    total: Decimal
    points: int
    first: int
    last: int
    latest: Decimal | None
    weights: Decimal | None
    days: list[int] | None
    amounts: list[Decimal] | None
    day_weights: list[Decimal] | None


async def of_periods(db: AsyncConnection, company_id: str, period: Period) -> tuple[Stored, Stored]:
    """What is stored of the period, and of the one before, of which there are no single days."""
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
    rows = await _rows().fetch(db, bound)
    return (
        _by_metric(row for row in rows if row.is_present),
        _by_metric(row for row in rows if not row.is_present),
    )


def _by_metric(rows: Iterable[_Row]) -> Stored:
    series: dict[tuple[str, str | None], Series] = {}
    beside: dict[tuple[str, str], Series] = {}
    for row in rows:
        if row.is_beside and row.currency is not None:
            beside[row.metric_key, row.currency] = _series(row)
        else:
            series[row.metric_key, row.currency] = _series(row)
    return Stored(series=series, beside=beside)


def _series(row: _Row) -> Series:
    every = range(row.first, row.last + 1)
    return Series(
        total=row.total, points=row.points, first=row.first, last=row.last,
        latest=row.latest, weights=row.weights,
        days=(row.days or every) if row.amounts is not None else (),
        amounts=row.amounts or (), day_weights=row.day_weights or (),
    )  # fmt: skip


@cache
def _rows() -> Prepared[_Row]:
    daily = _daily(_shares(_known(_stored())))
    key = (daily.c.is_present, daily.c.is_beside, daily.c.metric_key, daily.c.currency)
    points, first, last = func.count(), func.min(daily.c.number), func.max(daily.c.number)
    weights, number = func.sum(daily.c.weight), daily.c.number
    is_single = and_(daily.c.is_present, _is_one(daily.c.metric_key, {*_DIVIDED, *WEIGHTS}))
    amounts = _in_order(daily.c.amount, number)
    total = func.sum(daily.c.amount)
    columns: dict[str, ColumnElement[Any]] = {
        "total": case((weights != _NONE, total.filter(daily.c.weight != _NONE)), else_=total),
        "points": points,
        "first": first,
        "last": last,
        "latest": case((_is_one(daily.c.metric_key, _LATEST), amounts[points])),
        "weights": weights,
        "days": case((and_(daily.c.is_present, points <= last - first), _in_order(number, number))),
        "amounts": case((is_single, amounts)),
        "day_weights": case(
            (and_(daily.c.is_present, weights.is_not(None)), _in_order(daily.c.weight, number))
        ),
    }
    return Prepared(
        select(*key, *(column.label(name) for name, column in columns.items())).group_by(*key),
        _Row,
    )


def _in_order(column: ColumnElement[Any], by: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.array_agg(aggregate_order_by(column, by), type_=ARRAY(column.type))


def _stored() -> CTE:
    """The rows of both periods; money whose currency nobody told is taken for the tenant's own."""
    first, start = (bindparam(name, type_=Date) for name in ("first", "start"))
    currency = case(
        (
            _is_one(MetricSnapshot.metric_key, MONEY),
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
            _family(MetricSnapshot.metric_key).label("family"),
            currency.label("currency"),
            MetricSnapshot.value,
        )
        .where(
            MetricSnapshot.company_id == bindparam("company", type_=Text),
            MetricSnapshot.day.between(first, bindparam("last", type_=Date)),
        )
        .cte("stored")
    )


def _family(key: SQLColumnExpression[str]) -> ColumnElement[Any]:
    heads = sorted(set(_FAMILIES.values()))
    return case(
        *(
            (_is_one(key, (one for one in _FAMILIES if _FAMILIES[one] == head)), _word(head))
            for head in heads
        )
    )


def _known(stored: CTE) -> CTE:
    """The rows with what their family has on the day: a weight, or money in `family_currency`."""
    family = [stored.c.platform, stored.c.account_id, stored.c.number, stored.c.family]
    head = func.max(stored.c.value).filter(stored.c.metric_key == stored.c.family)
    weight = func.coalesce(head.over(partition_by=family), _NONE)
    money = func.max(stored.c.currency).over(partition_by=family)
    return select(
        stored,
        case((_is_one(stored.c.metric_key, WEIGHTS), weight)).label("weight"),
        case((_is_one(stored.c.metric_key, BESIDE_MONEY), money)).label("family_currency"),
    ).cte("k")


def _shares(known: CTE) -> CTE:
    """What is counted of each day, for the period and once more beside money."""
    plain = select(
        known.c.is_present,
        false().label("is_beside"),
        known.c.metric_key,
        known.c.currency,
        known.c.number,
        known.c.value,
        known.c.weight,
    )
    return union_all(plain, _beside(known)).cte("s")


def _beside(known: CTE) -> Select[*tuple[Any, ...]]:
    """The counts by the currency that their account has on the day.

    Those of a day without money count for each currency that it has in the period.
    """
    key = ("is_present", "platform", "account_id", "family")
    money = (
        select(*(known.c[name] for name in (*key, "currency")))
        .where(_is_one(known.c.metric_key, BESIDE_MONEY.values()))
        .distinct()
        .subquery("money")
    )
    of_account = and_(
        known.c.family_currency.is_(None), *(money.c[name] == known.c[name] for name in key)
    )
    currency = func.coalesce(known.c.family_currency, money.c.currency)
    return (
        select(
            known.c.is_present,
            true(),
            known.c.metric_key,
            currency,
            known.c.number,
            known.c.value,
            cast(null(), Numeric),
        )
        .outerjoin(money, of_account)
        .where(_is_one(known.c.metric_key, BESIDE_MONEY), currency.is_not(None))
    )


def _daily(shares: CTE) -> CTE:
    """A number for each day: the sum, or that of values times weights.

    Without any weight on the day it is the mean of the accounts.
    """
    key = [shares.c[name] for name in ("is_present", "is_beside", "metric_key", "currency")]
    weight = func.sum(shares.c.weight)
    return (
        select(
            *key,
            shares.c.number,
            case(
                (weight != _NONE, func.sum(shares.c.value * shares.c.weight)),
                (weight == _NONE, func.avg(shares.c.value)),
                else_=func.sum(shares.c.value),
            ).label("amount"),
            weight.label("weight"),
        )
        .group_by(*key, shares.c.number)
        .cte("d")
    )


def _word(key: str) -> ColumnElement[str]:
    return literal_column(f"'{key}'", Text)


def _is_one(key: SQLColumnExpression[str], keys: Iterable[str]) -> ColumnElement[bool]:
    # In the text: values that never change cost as much to send as those that do.
    return key == func.any(literal_column(f"'{{{','.join(sorted(set(keys)))}}}'"))
