"""Which clients a recalculation goes through, in the order of their companies, and what it wrote.

Source: clients/tier_scores.yaml, rules.recalculation. What clients are scored by, and how scorings
are written, is in `revenue_read`, `tier_standings` and `scorings`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from models.queries.people.scorings import scoring_id
from models.rules.clients.vocabulary import ClientStatus
from models.tables.clients import Client
from models.tables.clients_revenue import StripeLink
from models.tables.clients_scores import TierScoring
from models.tables.people import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The companies after one and up to another, all of them or those that are named."""

    after: str
    until: str | None
    company_ids: tuple[str, ...] | None
    without: tuple[str, ...] = ()


async def tenant_name(db: AsyncConnection) -> str:
    """What the tenant is called."""
    return str((await db.execute(select(Tenant.name))).scalar_one())


async def count(db: AsyncConnection, company_ids: tuple[str, ...] | None) -> int:
    """How many clients are recalculated, of all or of these companies."""
    everything = Stretch(after="", until=None, company_ids=company_ids)
    statement, bound = _bounded(select(func.count()).select_from(Client), everything)
    return int((await db.execute(statement.where(_is_recalculated()), bound)).scalar_one())


async def linked(
    db: AsyncConnection, *, after: str, company_ids: tuple[str, ...] | None, limit: int
) -> list[str]:
    """The next companies whose billing is imported.

    Of all, those of active clients; of those that are named, each: its ledger is looked at
    whether it is scored or not.
    """
    statement = select(StripeLink.company_id).where(
        StripeLink.company_id > bindparam("after", type_=Text)
    )
    bound: dict[str, Any] = {"after": after, "limit": limit}
    if company_ids is None:
        active = and_(
            Client.company_id == StripeLink.company_id, Client.status == ClientStatus.ACTIVE
        )
        statement = statement.join(Client, active)
    else:
        statement = statement.where(StripeLink.company_id == _any("company_ids"))
        bound["company_ids"] = list(company_ids)
    page = statement.order_by(StripeLink.company_id).limit(bindparam("limit"))
    return list((await db.execute(page, bound)).scalars())


async def next_clients(db: AsyncConnection, stretch: Stretch, limit: int) -> list[str]:
    """The companies of the next clients of a stretch, in order."""
    statement, bound = _bounded(_page(), stretch)
    return list((await db.execute(statement, {**bound, "limit": limit})).scalars())


async def written(db: AsyncConnection, company_ids: Sequence[str], once: str) -> tuple[int, int]:
    """How many of these clients a run has scored, and how many of them changed their tier."""
    ids = [scoring_id(company_id, once) for company_id in company_ids]
    row = (await db.execute(_written(), {"ids": ids})).one()
    return row.scored, row.changed


def _bounded(
    statement: Select[*tuple[Any, ...]], stretch: Stretch
) -> tuple[Select[*tuple[Any, ...]], dict[str, Any]]:
    statement = statement.where(Client.company_id > bindparam("after", type_=Text))
    bound: dict[str, Any] = {"after": stretch.after}
    if stretch.until is not None:
        statement = statement.where(Client.company_id <= bindparam("until", type_=Text))
        bound["until"] = stretch.until
    if stretch.company_ids is not None:
        statement = statement.where(Client.company_id == _any("company_ids"))
        bound["company_ids"] = list(stretch.company_ids)
    if stretch.without:
        statement = statement.where(~(Client.company_id == _any("without")))
        bound["without"] = list(stretch.without)
    return statement, bound


def _is_recalculated() -> ColumnElement[bool]:
    """`models.rules.clients.recalculation.is_recalculated`, as SQL."""
    return and_(Client.status == ClientStatus.ACTIVE, Client.tier_track.is_not(None))


def _any(name: str) -> Any:
    return func.any(bindparam(name, type_=ARRAY(Text)))


@cache
def _page() -> Select[*tuple[Any, ...]]:
    return (
        select(Client.company_id)
        .where(_is_recalculated())
        .order_by(Client.company_id)
        .limit(bindparam("limit"))
    )


@cache
def _written() -> Select[*tuple[Any, ...]]:
    changed = TierScoring.tier.is_distinct_from(TierScoring.previous_tier)
    return select(
        func.count().label("scored"), func.count().filter(changed).label("changed")
    ).where(TierScoring.id == _any("ids"))
