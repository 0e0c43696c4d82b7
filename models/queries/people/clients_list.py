"""The list of clients, filtered, sorted and counted in one statement; and the two badges.

Source: clients/clients.yaml, rules.list and rules.stats. Both the page and the count can be read
off the indexes of the client table; only the rows that are shown are looked up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Numeric,
    SQLColumnExpression,
    Text,
    bindparam,
    case,
    collate,
    func,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import Subquery

from models.db.prepared import Prepared
from models.queries.people.client_flags import (
    bounds,
    is_qbr_overdue,
    is_score_stale,
    qbr_overdue_days,
)
from models.queries.walks import LIMIT, among
from models.rules.clients.health import LOW_HEALTH
from models.rules.clients.vocabulary import ClientSort, ClientStatus
from models.tables.clients import Client
from models.tables.companies import Company
from models.tables.people import Principal

_OFFSET = bindparam("offset", type_=BigInteger)
_LOWEST: Final = Decimal(0)
_HIGHEST: Final = Decimal(100)


class ClientRow(NamedTuple):
    """A client as the list shows it, and how many there are in all."""

    total: int
    id: str
    company_id: str
    name: str
    status: str
    tier: str | None
    tier_track: str | None
    tier_score: Decimal | None
    tier_scored_at: datetime | None
    is_score_stale: bool
    health_score: Decimal | None
    health_scored_at: datetime | None
    assigned_dm_id: str | None
    assigned_dm_name: str | None
    last_qbr_date: date | None
    next_qbr_date: date | None
    qbr_overdue_days: int
    parent_company_id: str | None
    created_at: datetime
    updated_at: datetime


class Badges(NamedTuple):
    """How many of the active clients have an overdue QBR, and how many a low health score."""

    overdue_qbr_count: int
    low_health_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filters of the list; all that are given hold."""

    statuses: Sequence[str] = ()
    tiers: Sequence[str] = ()
    assigned_dm_id: str | None = None
    health_score_min: Decimal | None = None
    health_score_max: Decimal | None = None
    search: str = ""

    def bound(self) -> dict[str, Any]:
        """The values of those that are given, by what the statement calls them."""
        given: dict[str, Any] = {
            "statuses": list(self.statuses) or None,
            "tiers": list(self.tiers) or None,
            "assigned_dm_id": self.assigned_dm_id,
            "search": self.search.strip() or None,
        }
        values = {name: value for name, value in given.items() if value is not None}
        if self.health_score_min is not None or self.health_score_max is not None:
            values["health_min"] = _or(self.health_score_min, _LOWEST)
            values["health_max"] = _or(self.health_score_max, _HIGHEST)
        return values


def _or(value: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if value is None else value


_CONDITIONS: Final[Mapping[str, SQLColumnExpression[bool]]] = MappingProxyType(
    {
        "statuses": among(Client.status, "statuses"),
        "tiers": among(Client.tier, "tiers"),
        "assigned_dm_id": Client.assigned_dm_id == bindparam("assigned_dm_id", type_=Text),
        "health_min": Client.health_score.between(
            bindparam("health_min", type_=Numeric), bindparam("health_max", type_=Numeric)
        ),
        # Case is folded as it is in the key, whatever the locale of the cluster.
        "search": func.strpos(
            Client.name_key, func.lower(collate(bindparam("search", type_=Text), "pg_c_utf8"))
        )
        > 0,
    }
)
_TIES: Final = ("name_key", "company_id")
_ORDERS: Final[Mapping[ClientSort, tuple[str, ...]]] = MappingProxyType(
    {
        ClientSort.HEALTH_SCORE: ("health_score", *_TIES),
        ClientSort.NAME: _TIES,
        ClientSort.TIER: ("tier_rank", *_TIES),
        ClientSort.LAST_QBR_DATE: ("last_qbr_date", *_TIES),
    }
)


async def page(
    db: AsyncConnection, wanted: Wanted, *, sort: ClientSort, limit: int, offset: int, now: datetime
) -> tuple[int, Sequence[ClientRow]]:
    """How many clients match, and those of the page, with what is computed as of now."""
    values = wanted.bound()
    statement = _page(sort, frozenset(values) & frozenset(_CONDITIONS))
    bound = {**values, **bounds(now), "limit": limit, "offset": offset}
    rows = await statement.fetch(db, bound)
    # Past the last page there is one row, of nothing but the total.
    return rows[0].total, [row for row in rows if row.id]


async def badges(db: AsyncConnection, now: datetime) -> Badges:
    """The two counts of the sidebar, over all clients of the tenant."""
    (counted,) = await _badges().fetch(db, {"today": bounds(now)["today"]})
    return counted


@cache
def _page(sort: ClientSort, given: frozenset[str]) -> Prepared[ClientRow]:
    conditions = [_CONDITIONS[name] for name in sorted(given)]
    found = (
        select(Client.company_id)
        .where(*conditions)
        .order_by(*_order(sort, Client.__table__.c))
        .limit(LIMIT)
        .offset(_OFFSET)
        .cte("page")
    )
    counted, shown = _counted(found, conditions), _described(found)
    listed = (
        select(counted.c.total, *(shown.c[name] for name in ClientRow._fields[1:]))
        .select_from(counted)
        .outerjoin(shown, true())
        .order_by(*_order(sort, shown.c))
    )
    return Prepared(listed, ClientRow)


def _counted(found: CTE, conditions: Sequence[SQLColumnExpression[bool]]) -> Subquery:
    """How many match: the page itself tells where it is the last, else all have to be counted."""
    here = select(func.count().label("rows")).select_from(found).subquery("here")
    every = select(func.count()).select_from(Client).where(*conditions).scalar_subquery()
    is_last = here.c.rows.between(1, LIMIT - 1)
    total = case((is_last, _OFFSET + here.c.rows), else_=every)
    return select(total.label("total")).subquery("counted")


def _order(sort: ClientSort, columns: Any) -> list[ColumnElement[Any]]:
    first, *ties = (columns[name] for name in _ORDERS[sort])
    return [first.nulls_first() if sort is ClientSort.LAST_QBR_DATE else first, *ties]


def _described(found: CTE) -> Subquery:
    columns: dict[str, Any] = {
        **Client.__table__.c,
        "name": Company.name,
        "parent_company_id": Company.parent_company_id,
        "assigned_dm_name": Principal.name,
        "is_score_stale": is_score_stale(),
        "qbr_overdue_days": qbr_overdue_days(),
    }
    names = (*ClientRow._fields[1:], "tier_rank", "name_key")
    return (
        select(*(columns[name].label(name) for name in names))
        .select_from(Client)
        .join(found, found.c.company_id == Client.company_id)
        .join(Company, Company.id == Client.company_id)
        .outerjoin(Principal, Principal.id == Client.assigned_dm_id)
        .subquery("shown")
    )


@cache
def _badges() -> Prepared[Badges]:
    counted = select(
        func.count().filter(is_qbr_overdue()).label("overdue_qbr_count"),
        func.count().filter(Client.health_score < LOW_HEALTH).label("low_health_count"),
    ).where(Client.status == bindparam(None, ClientStatus.ACTIVE.value, literal_execute=True))
    return Prepared(counted, Badges)
