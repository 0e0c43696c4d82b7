"""Approvals on the wire."""

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, Field

from api.http.bodies import Omissible, left_out
from api.http.rows import writer
from api.http.wire import Absent, Camel, Int, Moment, PrincipalRef, Ref
from models.queries.agents.approvals_read import ApprovalRow, LinkedOutput
from models.rules.vocabulary import (
    ActivityStatus,
    ApprovalStatus,
    ApprovalType,
    PrincipalType,
    Resolution,
    RiskLevel,
)

_EXAMPLE: dict[str, Any] = {
    "id": "01K9APR0000000000000000001",
    "title": "Publish: Why small teams switch to heat pumps",
    "type": "content_review",
    "riskLevel": "medium",
    "status": "pending",
    "description": "The post names a subsidy; please check the amount.",
    "linkedActivities": [
        {
            "id": "01K9ACT0000000000000000001",
            "title": "Why small teams switch to heat pumps",
            "status": "awaiting_approval",
        }
    ],
    "createdBy": {"id": "01K9AGT0000000000000000001", "name": "Copywriter", "type": "agent"},
    "createdOn": "2026-03-02T09:15:45.320Z",
    "expiresAt": "2026-03-05T09:15:45.320Z",
}


class LinkedActivityOut(Camel):
    """An activity that the approval decides about."""

    id: str
    title: str
    status: ActivityStatus


class LinkedActivityWithOutputOut(LinkedActivityOut):
    """An activity that the approval decides about, with what it has made."""

    output_ref: Absent[str] = None
    output_preview: Absent[str] = Field(None, description="The first 500 characters.")


class _Asked(Camel):
    """What an approval in a list and one in full have in common."""

    id: str
    title: str
    type: ApprovalType
    risk_level: RiskLevel
    status: ApprovalStatus
    description: Absent[str] = None
    options: Absent[list[str]] = None
    created_by: PrincipalRef
    created_on: Moment
    expires_at: Moment
    resolved_at: Absent[Moment] = None
    resolved_by: Absent[Ref] = None
    resolution: Absent[Resolution] = None
    resolution_note: Absent[str] = None
    selected_option: Absent[str] = None


class ApprovalOut(_Asked):
    """A question to a person on which activities wait."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    linked_activities: list[LinkedActivityOut]

    @classmethod
    def of(cls, row: ApprovalRow) -> "ApprovalOut":
        linked = [LinkedActivityOut.model_validate(activity) for activity in row.linked]
        return cls(**_asked(row), linked_activities=linked)


write_approval = writer(
    ApprovalOut,
    created_by=lambda row: {
        "id": row.created_by_id, "name": row.created_by_name, "type": row.created_by_type,
    },
    resolved_by=lambda row: (
        row.resolved_by_id and {"id": row.resolved_by_id, "name": row.resolved_by_name or ""}
    ),
    linked_activities=lambda row: row.linked,
)  # fmt: skip


class ApprovalDetailOut(_Asked):
    """An approval with the output that it is about."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_EXAMPLE,
                    "linkedActivities": [
                        {
                            **_EXAMPLE["linkedActivities"][0],
                            "outputRef": "01K9TPT0000000000000000001",
                            "outputPreview": "# Why small teams switch to heat pumps",
                        }
                    ],
                }
            ]
        }
    )

    linked_activities: list[LinkedActivityWithOutputOut]

    @classmethod
    def of(cls, row: ApprovalRow, outputs: Sequence[LinkedOutput]) -> "ApprovalDetailOut":
        linked = [
            LinkedActivityWithOutputOut(
                id=one.id,
                title=one.title,
                status=ActivityStatus(one.status),
                output_ref=one.output_id,
                output_preview=one.output_preview,
            )
            for one in outputs
        ]
        return cls(**_asked(row), linked_activities=linked)


def _asked(row: ApprovalRow) -> dict[str, Any]:
    resolved_by = None
    if row.resolved_by_id is not None:
        resolved_by = Ref(id=row.resolved_by_id, name=row.resolved_by_name or "")
    return {
        "id": row.id,
        "title": row.title,
        "type": row.type,
        "risk_level": row.risk_level,
        "status": row.status,
        "description": row.description,
        "options": row.options,
        "created_by": PrincipalRef(
            id=row.created_by_id,
            name=row.created_by_name,
            type=PrincipalType(row.created_by_type),
        ),
        "created_on": row.created_on,
        "expires_at": row.expires_at,
        "resolved_at": row.resolved_at,
        "resolved_by": resolved_by,
        "resolution": row.resolution,
        "resolution_note": row.resolution_note,
        "selected_option": row.selected_option,
    }


class ResolveIn(Camel):
    """What an admin decides."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "resolution": "revision_requested",
                    "note": "Name the subsidy and link its conditions.",
                }
            ]
        }
    )

    resolution: Resolution
    selected_option: Omissible[str] = Field(
        default_factory=left_out, description="Needed to approve what has options."
    )
    note: Omissible[str] = Field(
        default_factory=left_out,
        max_length=10_000,
        description="Needed to reject and to ask for a revision.",
    )


class ResolvedOut(Camel):
    """The decision, and how many activities go on because of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "approvalId": "01K9APR0000000000000000001",
                    "resolution": "approved",
                    "reEnqueuedActivities": 1,
                }
            ]
        }
    )

    approval_id: str
    resolution: Resolution
    re_enqueued_activities: int


class ReopenIn(Camel):
    """How long the question is open anew."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expiresInHours": 48}]})

    expires_in_hours: Int = Field(72, ge=1, le=720)


class ApprovalStatsOut(Camel):
    """The approval queue in numbers."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"pending": 4, "highRisk": 1, "expiringIn24h": 2, "resolvedThisWeek": 11}]
        }
    )

    pending: int
    high_risk: int = Field(description="Pending with a high risk.")
    expiring_in_24h: int = Field(
        alias="expiringIn24h", description="Pending and gone within 24 hours."
    )
    resolved_this_week: int = Field(description="By people, since Monday (UTC).")
