"""Campaigns on the wire."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from api.agents.activities.schemas import SUMMARY_EXAMPLE, ActivitySummaryOut
from api.http.bodies import Day, Omissible, Patch, Positive, left_out
from api.http.rows import writer
from api.http.wire import Absent, Camel, Int, Moment, Money, Ref
from models.queries.agents.campaigns_read import CampaignInFull, CampaignRow, OrderedRow
from models.rules.periods import PeriodStatus, status
from models.rules.vocabulary import CampaignStatus, ChannelType, DeliverableType

Name = Annotated[str, Field(min_length=1, max_length=200)]
Brief = Annotated[str, Field(min_length=1, max_length=20_000)]

_SUMMARY: dict[str, Any] = {
    "id": "01K9CMP0000000000000000001",
    "name": "Spring heat pumps",
    "status": "active",
    "budgetCapUsd": 250,
    "spentUsd": 12.480311,
    "deliverableCount": 2,
    "activityCount": {"total": 14, "inProgress": 3, "pending": 6, "done": 5},
    "pendingApprovals": 1,
    "createdBy": "Mara Lind",
    "createdOn": "2026-03-02T09:14:12.301Z",
    "startDate": "2026-03-02",
    "endDate": "2026-05-31",
}


class Switch(StrEnum):
    """The statuses that an admin may set."""

    PAUSED = "paused"
    ACTIVE = "active"


class DeliverableIn(Camel):
    """One thing that the campaign orders."""

    type: DeliverableType
    quantity: Int = Field(ge=1, le=1000, description="How many in each period.")
    platform_ids: list[str] = Field(
        default_factory=list, description="Ids of the channels to target."
    )
    template_id: Omissible[str] = Field(
        default_factory=left_out, description="An activity template in place of the default."
    )


class CampaignIn(Camel):
    """A campaign brief."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Spring heat pumps",
                    "brief": "Win owners of small offices for a heat pump before the summer.",
                    "deliverables": [
                        {"type": "blog_post", "quantity": 2},
                        {"type": "email_newsletter", "quantity": 1},
                    ],
                    "budgetCapUsd": 250,
                    "startDate": "2030-03-01",
                    "endDate": "2030-05-31",
                }
            ]
        }
    )

    name: Name
    brief: Brief = Field(description="Goals and context of the campaign.")
    deliverables: list[DeliverableIn] = Field(min_length=1, max_length=50)
    budget_cap_usd: Omissible[Positive] = Field(default_factory=left_out)
    start_date: Omissible[Day] = Field(default_factory=left_out)
    end_date: Omissible[Day] = Field(default_factory=left_out)
    attachments: list[str] = Field(
        default_factory=list, max_length=20, description="refIds of uploaded files."
    )


class CampaignPatch(Patch):
    """What an admin may change; deliverables are fixed when the campaign is created."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "paused"}]})

    name: Omissible[Name] = Field(default_factory=left_out)
    brief: Omissible[Brief] = Field(default_factory=left_out)
    budget_cap_usd: Positive | None = Field(
        default_factory=left_out, description="Null lifts the cap."
    )
    status: Omissible[Switch] = Field(default_factory=left_out, description="Pause or resume.")
    deliverables: SkipJsonSchema[Any] = Field(default_factory=left_out)
    """Known only to be refused by name, not as an unknown member."""


class SubmittedOut(Camel):
    """A campaign whose planning has begun."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01K9CMP0000000000000000001",
                    "name": "Spring heat pumps",
                    "status": "draft",
                }
            ]
        }
    )

    id: str
    name: str
    status: CampaignStatus = Field(description="Always draft.")


class ActivityCountOut(Camel):
    """A campaign's activities by how far they are; failed ones count in total alone."""

    total: int
    in_progress: int
    pending: int
    done: int


class CampaignSummaryOut(Camel):
    """A campaign as lists show it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUMMARY]})

    id: str
    name: str
    status: CampaignStatus
    budget_cap_usd: Money | None
    spent_usd: Money
    deliverable_count: int
    activity_count: ActivityCountOut
    pending_approvals: int
    created_by: str = Field(description="The user's display name.")
    created_on: Moment
    start_date: date | None
    end_date: date | None

    @classmethod
    def of(cls, row: CampaignRow) -> "CampaignSummaryOut":
        return cls(
            id=row.id,
            name=row.name,
            status=CampaignStatus(row.status),
            budget_cap_usd=row.budget_cap_usd,
            spent_usd=row.spent_usd,
            deliverable_count=row.deliverables,
            activity_count=ActivityCountOut(
                total=row.activities,
                in_progress=row.at_work,
                pending=row.to_come,
                done=row.done,
            ),
            pending_approvals=row.pending_approvals,
            created_by=row.created_by_name,
            created_on=row.created_on,
            start_date=row.start_date,
            end_date=row.end_date,
        )


write_summary = writer(
    CampaignSummaryOut,
    deliverable_count=lambda row: row.deliverables,
    activity_count=lambda row: {
        "total": row.activities, "inProgress": row.at_work, "pending": row.to_come,
        "done": row.done,
    },
    created_by=lambda row: row.created_by_name,
)  # fmt: skip


class PlatformOut(Camel):
    """A channel that a deliverable targets."""

    id: str
    name: str
    type: ChannelType


class CurrentPeriodOut(Camel):
    """The month that is running."""

    period_start: date
    period_end: date
    target: int
    completed: int
    in_progress: int
    status: PeriodStatus


class CampaignDeliverableOut(Camel):
    """A deliverable and how its running period stands."""

    id: str
    type: DeliverableType
    quantity: int = Field(description="How many in each period.")
    platforms: list[PlatformOut]
    current_period: Absent[CurrentPeriodOut] = Field(
        None, description="Left out while no period is running."
    )

    @classmethod
    def of(cls, row: OrderedRow, today: date) -> "CampaignDeliverableOut":
        return cls(
            id=row.id,
            type=DeliverableType(row.type),
            quantity=row.quantity,
            platforms=[PlatformOut.model_validate(channel) for channel in row.channels],
            current_period=_current_period(row, today),
        )


def _current_period(row: OrderedRow, today: date) -> CurrentPeriodOut | None:
    current = row.current
    if current is None:
        return None
    return CurrentPeriodOut(
        period_start=current.start,
        period_end=current.end,
        target=row.target,
        completed=row.completed,
        in_progress=row.at_work,
        status=status(
            target=row.target,
            completed=row.completed,
            in_progress=row.at_work,
            period=current,
            today=today,
        ),
    )


class AgentCostOut(Camel):
    """What an agent role has cost."""

    agent_role: str
    cost_usd: Money


class CampaignDetailOut(Camel):
    """One campaign in full."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01K9CMP0000000000000000001",
                    "name": "Spring heat pumps",
                    "status": "active",
                    "brief": "Win owners of small offices for a heat pump before the summer.",
                    "budgetCapUsd": 250,
                    "spentUsd": 12.480311,
                    "startDate": "2026-03-02",
                    "endDate": "2026-05-31",
                    "createdBy": {"id": "01K9SER0000000000000000001", "name": "Mara Lind"},
                    "createdOn": "2026-03-02T09:14:12.301Z",
                    "deliverables": [
                        {
                            "id": "01K9DEV0000000000000000001",
                            "type": "blog_post",
                            "quantity": 2,
                            "platforms": [],
                            "currentPeriod": {
                                "periodStart": "2026-03-02",
                                "periodEnd": "2026-04-01",
                                "target": 2,
                                "completed": 1,
                                "inProgress": 1,
                                "status": "on_track",
                            },
                        }
                    ],
                    "recentActivities": [SUMMARY_EXAMPLE],
                    "pendingApprovals": 1,
                    "costByAgent": [{"agentRole": "copywriter", "costUsd": 9.200114}],
                }
            ]
        }
    )

    id: str
    name: str
    status: CampaignStatus
    brief: str
    budget_cap_usd: Money | None
    spent_usd: Money
    start_date: date | None
    end_date: date | None
    created_by: Ref
    created_on: Moment
    deliverables: list[CampaignDeliverableOut] = Field(description="In the order of the brief.")
    recent_activities: list[ActivitySummaryOut] = Field(
        description="The ten that changed last, newest change first."
    )
    pending_approvals: int
    cost_by_agent: list[AgentCostOut] = Field(description="Highest first.")

    @classmethod
    def of(
        cls,
        found: CampaignInFull,
        *,
        deliverables: list[CampaignDeliverableOut],
        recent: list[ActivitySummaryOut],
        costs: list[AgentCostOut],
    ) -> "CampaignDetailOut":
        return cls(
            id=found.id,
            name=found.name,
            status=CampaignStatus(found.status),
            brief=found.brief,
            budget_cap_usd=found.budget_cap_usd,
            spent_usd=found.spent_usd,
            start_date=found.start_date,
            end_date=found.end_date,
            created_by=Ref(id=found.created_by_id, name=found.created_by_name),
            created_on=found.created_on,
            deliverables=deliverables,
            recent_activities=recent,
            pending_approvals=found.pending_approvals,
            cost_by_agent=costs,
        )


class AttachmentOut(Camel):
    """A stored file; a new campaign names it by its refId."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "refId": "01K9FJE0000000000000000001",
                    "fileName": "tone-of-voice.pdf",
                    "mimeType": "application/pdf",
                    "fileSizeBytes": 182044,
                    "createdOn": "2026-03-02T09:10:00.000Z",
                }
            ]
        }
    )

    ref_id: str
    file_name: str
    mime_type: str
    file_size_bytes: int
    created_on: Moment
