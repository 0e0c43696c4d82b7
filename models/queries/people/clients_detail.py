"""One client in full: the profile, its contacts, and the numbers of its group.

Source: clients/clients.yaml, rules.detail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Date, Integer, Select, Text, bindparam, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import FromClause

from models.db.prepared import Prepared
from models.errors import NotFound
from models.queries.people import revenue_totals
from models.queries.people.client_flags import (
    bounds,
    is_qbr_overdue,
    is_score_stale,
    qbr_overdue_days,
)
from models.rules.clients.groups import ClientStats
from models.rules.clients.revenue import SourceTotals
from models.tables.clients import Client, ClientSummary
from models.tables.clients_revenue import StripeLink
from models.tables.companies import Company, Contact, Deal, Meeting, Project
from models.tables.people import Principal

MOST_CONTACTS: Final = 100

_COMPANY_ID = bindparam("company_id", type_=Text)


class ClientInFull(NamedTuple):
    """A client with everything that is kept of it; `parent_*` is of its parent company, if any."""

    id: str
    company_id: str
    name: str
    website: str | None
    status: str
    tier: str | None
    assigned_dm_id: str | None
    assigned_dm_name: str | None
    health_score: Decimal | None
    health_scored_at: datetime | None
    last_qbr_date: date | None
    next_qbr_date: date | None
    is_qbr_overdue: bool
    qbr_overdue_days: int
    tier_track: str | None
    tier_score: Decimal | None
    tier_revenue_score: int | None
    tier_profitability_score: Decimal | None
    tier_strategic_score: Decimal | None
    tier_relationship_score: Decimal | None
    tier_growth_score: Decimal | None
    tier_adoption_score: Decimal | None
    tier_revenue_override: Decimal | None
    tier_override_reason: str | None
    tier_scored_at: datetime | None
    tier_scored_by: str | None
    tier_scored_by_name: str | None
    is_score_stale: bool
    onboarding_started_at: datetime | None
    onboarding_completed_at: datetime | None
    offboarding_started_at: datetime | None
    offboarding_completed_at: datetime | None
    stripe_customer_id: str | None
    parent_company_id: str | None
    ai_summary: str | None
    ai_summary_generated_at: datetime | None
    created_at: datetime
    updated_at: datetime
    parent_name: str | None
    parent_status: str | None
    parent_tier: str | None
    parent_health_score: Decimal | None


class ContactRow(NamedTuple):
    """A contact of a client."""

    id: str
    name: str
    email: str | None
    phone: str | None
    title: str | None
    is_primary: bool
    last_interaction_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyStats:
    """A company, a client or not, with its numbers; revenue is not rounded yet."""

    company_id: str
    name: str
    status: str | None
    tier: str | None
    health_score: Decimal | None
    stats: ClientStats


class _Counted(NamedTuple):
    company_id: str
    name: str
    status: str | None
    tier: str | None
    health_score: Decimal | None
    active_projects: int
    open_deals: int
    meetings_count: int
    last_meeting_date: date | None
    contacts_count: int
    nucleus_entries: int
    nucleus_total: Decimal
    productive_entries: int
    productive_total: Decimal


async def one(db: AsyncConnection, company_id: str, now: datetime) -> ClientInFull:
    """One client, with what is computed as of now.

    Raises:
        NotFound: the tenant has no such company, or it was never promoted.
    """
    rows = await _one().fetch(db, {"company_id": company_id, **bounds(now)})
    if not rows:
        raise NotFound("There is no such client.")
    return rows[0]


async def contacts(db: AsyncConnection, company_id: str) -> Sequence[ContactRow]:
    """The company's contacts that are not archived, primary ones first, at most 100."""
    return await _contacts().fetch(db, {"company_id": company_id})


async def group(
    db: AsyncConnection, company_id: str, today: date
) -> tuple[ClientStats, Sequence[CompanyStats]]:
    """The numbers of the company, and its child companies with theirs, by name."""
    rows = await _group().fetch(db, {"company_id": company_id, "today": today})
    every = [_with_stats(row) for row in rows]
    own = next(one for one in every if one.company_id == company_id)
    return own.stats, [one for one in every if one is not own]


def _with_stats(row: _Counted) -> CompanyStats:
    totals = SourceTotals(
        nucleus_entries=row.nucleus_entries,
        nucleus_total=row.nucleus_total,
        productive_entries=row.productive_entries,
        productive_total=row.productive_total,
    )
    stats = ClientStats(
        active_projects=row.active_projects,
        open_deals=row.open_deals,
        total_revenue=revenue_totals.chosen_total(totals),
        meetings_count=row.meetings_count,
        contacts_count=row.contacts_count,
        last_meeting_date=row.last_meeting_date,
    )
    return CompanyStats(
        company_id=row.company_id,
        name=row.name,
        status=row.status,
        tier=row.tier,
        health_score=row.health_score,
        stats=stats,
    )


@cache
def _one() -> Prepared[ClientInFull]:
    manager, scorer = aliased(Principal), aliased(Principal)
    parent, parents_profile = aliased(Company), aliased(Client)
    columns: dict[str, Any] = {
        **Client.__table__.c,
        "name": Company.name,
        "website": Company.website,
        "parent_company_id": Company.parent_company_id,
        "assigned_dm_name": manager.name,
        "tier_scored_by_name": scorer.name,
        "is_qbr_overdue": func.coalesce(is_qbr_overdue(), False),
        "qbr_overdue_days": qbr_overdue_days(),
        "is_score_stale": is_score_stale(),
        "stripe_customer_id": StripeLink.stripe_customer_id,
        "ai_summary": ClientSummary.text,
        "ai_summary_generated_at": ClientSummary.generated_at,
        "parent_name": parent.name,
        "parent_status": parents_profile.status,
        "parent_tier": parents_profile.tier,
        "parent_health_score": parents_profile.health_score,
    }
    found: Select[*tuple[Any, ...]] = (
        select(*(columns[name].label(name) for name in ClientInFull._fields))
        .select_from(Client)
        .join(Company, Company.id == Client.company_id)
        .outerjoin(manager, manager.id == Client.assigned_dm_id)
        .outerjoin(scorer, scorer.id == Client.tier_scored_by)
        .outerjoin(StripeLink, StripeLink.company_id == Client.company_id)
        .outerjoin(ClientSummary, ClientSummary.company_id == Client.company_id)
        .outerjoin(parent, parent.id == Company.parent_company_id)
        .outerjoin(parents_profile, parents_profile.company_id == Company.parent_company_id)
        .where(Client.company_id == _COMPANY_ID)
    )
    return Prepared(found, ClientInFull)


@cache
def _contacts() -> Prepared[ContactRow]:
    listed: Select[*tuple[Any, ...]] = (
        select(
            Contact.id, Contact.name, Contact.email, Contact.phone, Contact.title,
            Contact.is_primary, Contact.last_interaction_at,
        )
        .where(Contact.company_id == _COMPANY_ID, Contact.archived_at.is_(None))
        .order_by(Contact.is_primary.desc(), Contact.name, Contact.id)
        .limit(literal(MOST_CONTACTS, Integer))
    )  # fmt: skip
    return Prepared(listed, ContactRow)


@cache
def _group() -> Prepared[_Counted]:
    projects = _count(Project, "active_projects", Project.status == "active")
    deals = _count(Deal, "open_deals", Deal.status == "open")
    people = _count(Contact, "contacts_count", Contact.archived_at.is_(None))
    meetings = (
        select(
            func.count().label("meetings_count"),
            func.max(Meeting.held_on).label("last_meeting_date"),
        )
        .where(Meeting.company_id == Company.id, Meeting.held_on <= bindparam("today", type_=Date))
        .lateral("meetings")
    )
    revenue = revenue_totals.of_all_time(Company.id)
    counts = (projects, deals, meetings, people, revenue)
    counted: Select[*tuple[Any, ...]] = (
        select(
            Company.id.label("company_id"), Company.name, Client.status, Client.tier,
            Client.health_score, *(column for one in counts for column in one.c),
        )
        .outerjoin(Client, Client.company_id == Company.id)
        .where(or_(Company.id == _COMPANY_ID, Company.parent_company_id == _COMPANY_ID))
        .order_by(Company.name_key, Company.id)
    )  # fmt: skip
    for one in counts:
        counted = counted.join(one, true())
    return Prepared(counted, _Counted)


def _count(table: Any, name: str, *conditions: Any) -> FromClause:
    return (
        select(func.count().label(name))
        .where(table.company_id == Company.id, *conditions)
        .lateral(table.__tablename__)
    )
