"""The list of clients on the wire: its filters, its rows, and the two badges."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import ConfigDict, Field

from api.http.filters import Several
from api.http.rows import writer
from api.http.wire import Number, Second, Snake
from api.people.clients.examples import LISTED
from models.errors import Invalid, ProblemItem
from models.queries.people.clients_list import Wanted
from models.rules.clients.vocabulary import ClientStatus, Tier, TierTrack

_BOUND: Final = "From 0 to 100, this value included; clients without a score are left out."
_Bound = Annotated[float | None, Query(ge=0, le=100, description=_BOUND)]


async def _filters(
    status: Annotated[
        Several[ClientStatus] | None, Query(description="Any of these, separated by commas.")
    ] = None,
    tier: Annotated[
        Several[Tier] | None,
        Query(description="Any of these, separated by commas; clients without one are left out."),
    ] = None,
    assigned_dm_id: Annotated[str | None, Query(description="The delivery manager.")] = None,
    health_score_min: _Bound = None,
    health_score_max: _Bound = None,
    search: Annotated[
        str | None, Query(max_length=200, description="Part of the name, in whatever case.")
    ] = None,
) -> Wanted:
    low, high = health_score_min, health_score_max
    if low is not None and high is not None and low > high:
        item = ProblemItem(
            location="query.health_score_min", message="Above health_score_max", value=low
        )
        raise Invalid("No health score is in this range.", item)
    return Wanted(
        statuses=status or (),
        tiers=tier or (),
        assigned_dm_id=assigned_dm_id,
        health_score_min=_exact(low),
        health_score_max=_exact(high),
        search=search or "",
    )


def _exact(bound: float | None) -> Decimal | None:
    """The number that the caller has written, not the nearest one that the machine has."""
    return None if bound is None else Decimal(repr(bound))


Filters = Annotated[Wanted, Depends(_filters)]
"""The filters of the list of clients."""


class ClientListItemOut(Snake):
    """A client as the list shows it."""

    model_config = ConfigDict(json_schema_extra={"examples": [LISTED]})

    id: str
    company_id: str
    name: str
    status: ClientStatus
    tier: Tier | None
    tier_track: TierTrack | None
    tier_score: Number | None
    tier_scored_at: Second | None
    is_score_stale: bool = Field(description="The last human judgement is over 90 days old.")
    health_score: Number | None
    health_scored_at: Second | None
    assigned_dm_id: str | None
    assigned_dm_name: str | None
    last_qbr_date: date | None
    next_qbr_date: date | None
    is_qbr_overdue: bool
    qbr_overdue_days: int
    parent_company_id: str | None
    created_at: Second
    updated_at: Second


write_client = writer(ClientListItemOut, is_qbr_overdue=lambda row: row.qbr_overdue_days > 0)


class ClientListOut(Snake):
    """One page of the clients, and how many there are."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"clients": [LISTED], "total": 1, "page": 1, "pages": 1}],
        }
    )

    clients: list[ClientListItemOut]
    total: int
    page: int
    pages: int


class BadgesOut(Snake):
    """The two counts of the sidebar, over the active clients of the whole tenant."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"overdue_qbr_count": 3, "low_health_count": 1}]}
    )

    overdue_qbr_count: int
    low_health_count: int
