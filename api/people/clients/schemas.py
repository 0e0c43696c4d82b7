"""Clients on the wire: changes of one, one in full, and its history. The list is in `listing`."""

from datetime import date
from typing import Any

from pydantic import ConfigDict, Field

from api.http.bodies import Day, Omissible, SnakePatch, WholeSecond, left_out
from api.http.rows import writer
from api.http.wire import Number, Second, Snake
from api.people.clients.examples import CLIENT, EVENT
from models.queries.people.clients_detail import ClientInFull, CompanyStats
from models.rules.clients.groups import ClientStats, GroupStats
from models.rules.clients.rounding import rounded
from models.rules.clients.tiers import WEIGHTS, Dimension
from models.rules.clients.vocabulary import ClientStatus, Tier, TierTrack


class PromotionIn(Snake):
    """A company that shall be a client."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"company_id": CLIENT["company_id"], "status": "active"}],
        }
    )

    company_id: str
    status: ClientStatus = ClientStatus.PROSPECT
    assigned_dm_id: str | None = Field(None, description="An active user of the tenant.")


class ClientPatch(SnakePatch):
    """What may be changed of a client's profile; null clears."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "active", "onboarding_completed_at": "2026-02-20T15:00:00Z"},
            ]
        }
    )

    status: Omissible[ClientStatus] = Field(default_factory=left_out)
    assigned_dm_id: str | None = Field(default_factory=left_out)
    next_qbr_date: Day | None = Field(default_factory=left_out)
    last_qbr_date: Day | None = Field(default_factory=left_out)
    onboarding_started_at: WholeSecond | None = Field(default_factory=left_out)
    onboarding_completed_at: WholeSecond | None = Field(default_factory=left_out)
    offboarding_started_at: WholeSecond | None = Field(default_factory=left_out)
    offboarding_completed_at: WholeSecond | None = Field(default_factory=left_out)


class ClientOut(Snake):
    """A client in full; scores of the track that is not the current one are null."""

    model_config = ConfigDict(json_schema_extra={"examples": [CLIENT]})

    id: str
    company_id: str
    name: str
    website: str | None
    status: ClientStatus
    tier: Tier | None
    assigned_dm_id: str | None
    assigned_dm_name: str | None
    health_score: Number | None
    health_scored_at: Second | None
    last_qbr_date: date | None
    next_qbr_date: date | None
    is_qbr_overdue: bool
    qbr_overdue_days: int
    tier_track: TierTrack | None
    tier_score: Number | None
    tier_revenue_score: Number | None = Field(description="Computed, also under an override.")
    tier_profitability_score: Number | None
    tier_strategic_score: Number | None
    tier_relationship_score: Number | None
    tier_growth_score: Number | None
    tier_adoption_score: Number | None
    tier_revenue_override: Number | None
    tier_override_reason: str | None
    tier_scored_at: Second | None = Field(description="When a person scored the client last.")
    tier_scored_by: str | None
    tier_scored_by_name: str | None
    is_score_stale: bool = Field(description="The last human judgement is over 90 days old.")
    onboarding_started_at: Second | None
    onboarding_completed_at: Second | None
    offboarding_started_at: Second | None
    offboarding_completed_at: Second | None
    stripe_customer_id: str | None
    parent_company_id: str | None
    ai_summary: str | None
    ai_summary_generated_at: Second | None
    created_at: Second
    updated_at: Second

    @classmethod
    def of(cls, row: ClientInFull) -> "ClientOut":
        shown = WEIGHTS[TierTrack(row.tier_track)] if row.tier_track else ()
        hidden = {f"tier_{name}_score": None for name in Dimension if name not in shown}
        values = {name: getattr(row, name) for name in cls.model_fields}
        return cls(**(values | hidden))


class ClientAnswer(Snake):
    """A client as it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"client": CLIENT}]})

    client: ClientOut


class ClientStatsOut(Snake):
    """The numbers of a client; revenue is of all time, in the tenant's reporting currency."""

    active_projects: int
    open_deals: int = Field(description="Neither won nor lost.")
    total_revenue: Number
    meetings_count: int = Field(description="Those that have taken place.")
    contacts_count: int
    last_meeting_date: date | None

    @classmethod
    def of(cls, stats: ClientStats) -> "ClientStatsOut":
        return cls(**_numbers(stats))


class ClientContactOut(Snake):
    """A contact of a client."""

    id: str
    name: str
    email: str | None
    phone: str | None
    title: str | None
    is_primary: bool
    last_interaction_at: Second | None


class ClientRefOut(Snake):
    """Another company of the group; of one that is no client the last three are null."""

    company_id: str
    name: str
    status: ClientStatus | None
    tier: Tier | None
    health_score: Number | None

    @classmethod
    def child(cls, row: CompanyStats) -> "ClientRefOut":
        return cls.model_validate(row)

    @classmethod
    def parent(cls, row: ClientInFull) -> "ClientRefOut | None":
        if row.parent_company_id is None or row.parent_name is None:
            return None
        return cls(
            company_id=row.parent_company_id,
            name=row.parent_name,
            status=ClientStatus(row.parent_status) if row.parent_status else None,
            tier=Tier(row.parent_tier) if row.parent_tier else None,
            health_score=row.parent_health_score,
        )


class GroupStatsOut(ClientStatsOut):
    """The numbers of a company and its children together."""

    companies_count: int = Field(description="The company itself and its children.")

    @classmethod
    def of_group(cls, group: GroupStats) -> "GroupStatsOut":
        return cls(companies_count=group.companies_count, **_numbers(group.stats))


class ClientGroupOut(Snake):
    """The companies under a client, by name."""

    children: list[ClientRefOut]
    aggregated: GroupStatsOut


_STATS: dict[str, Any] = {
    "active_projects": 2,
    "open_deals": 1,
    "total_revenue": 285000,
    "meetings_count": 14,
    "contacts_count": 3,
    "last_meeting_date": "2026-02-26",
}


class ClientDetailOut(Snake):
    """A client with its numbers, its contacts, and its place in a group of companies."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "client": CLIENT,
                    "stats": _STATS,
                    "contacts": [
                        {
                            "id": "01K9CNT0000000000000000001",
                            "name": "Ines Roth",
                            "email": "ines@nordwind.example",
                            "phone": None,
                            "title": "Head of Marketing",
                            "is_primary": True,
                            "last_interaction_at": "2026-02-26T13:05:00Z",
                        }
                    ],
                    "group": {
                        "children": [
                            {
                                "company_id": "01K9CPY0000000000000000002",
                                "name": "Nordwind Service",
                                "status": None,
                                "tier": None,
                                "health_score": None,
                            }
                        ],
                        "aggregated": {"companies_count": 2, **_STATS},
                    },
                    "parent_client": None,
                }
            ]
        }
    )

    client: ClientOut
    stats: ClientStatsOut
    contacts: list[ClientContactOut] = Field(
        description="Not archived, primary ones first, then by name; at most 100."
    )
    group: ClientGroupOut | None = Field(description="Null without child companies.")
    parent_client: ClientRefOut | None


class HistoryEventOut(Snake):
    """Something that happened to a client."""

    model_config = ConfigDict(json_schema_extra={"examples": [EVENT]})

    id: str
    resource_type: str = Field(description="Always client.")
    resource_id: str = Field(description="The id of the company.")
    event_type: str
    field: str | None
    old_value: Any
    new_value: Any
    metadata: dict[str, Any]
    actor_id: str | None = Field(description="Null where the system did it.")
    actor_name: str | None
    created_at: Second


write_event = writer(HistoryEventOut, metadata=lambda row: row.details)


class HistoryOut(Snake):
    """A client's history, newest events first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"history": [EVENT]}]})

    history: list[HistoryEventOut]


def _numbers(stats: ClientStats) -> dict[str, Any]:
    numbers = {name: getattr(stats, name) for name in ClientStatsOut.model_fields}
    return numbers | {"total_revenue": rounded(stats.total_revenue)}
