"""What a client's page counts, and how a group of companies adds it up.

Source: clients/clients.yaml, rules.detail. `total_revenue` is money in whole units of the tenant's
reporting currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStats:
    """The numbers of one company."""

    active_projects: int = 0
    open_deals: int = 0
    total_revenue: Decimal = Decimal(0)
    meetings_count: int = 0
    contacts_count: int = 0
    last_meeting_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStats:
    """The numbers of a company and its children together."""

    companies_count: int
    stats: ClientStats


def aggregated(own: ClientStats, children: Sequence[ClientStats]) -> GroupStats:
    """Add a company's numbers to its children's; the last meeting is the latest of all."""
    every = (own, *children)
    met = [one.last_meeting_date for one in every if one.last_meeting_date is not None]
    total = ClientStats(
        active_projects=sum(one.active_projects for one in every),
        open_deals=sum(one.open_deals for one in every),
        total_revenue=sum((one.total_revenue for one in every), Decimal(0)),
        meetings_count=sum(one.meetings_count for one in every),
        contacts_count=sum(one.contacts_count for one in every),
        last_meeting_date=max(met, default=None),
    )
    return GroupStats(companies_count=len(every), stats=total)
