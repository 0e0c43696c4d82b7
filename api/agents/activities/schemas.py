"""Activities on the wire."""

from typing import Any

from pydantic import ConfigDict, Field

from api.http.rows import writer
from api.http.wire import Absent, Camel, Moment, Money, PrincipalRef, Ref
from models.queries.agents.agent_activities_read import ActivityInFull, RunRow
from models.queries.agents.comments import CommentRow
from models.rules.vocabulary import (
    ActivityStatus,
    ActivityType,
    ApprovalStatus,
    ApprovalType,
    CommentType,
    DeliverableType,
    OutputFormat,
    PrincipalType,
    RunError,
    RunStatus,
    WakeReason,
)

SUMMARY_EXAMPLE: dict[str, Any] = {
    "id": "01K9ACT0000000000000000001",
    "title": "Why small teams switch to heat pumps",
    "type": "blog_post",
    "status": "awaiting_approval",
    "agentRole": "copywriter",
    "assigneeName": "Copywriter",
    "campaignId": "01K9CMP0000000000000000001",
    "campaignName": "Spring heat pumps",
    "deliverableId": "01K9DEV0000000000000000001",
    "approvalId": "01K9APR0000000000000000001",
    "wakeReason": "dependency_done",
    "startedAt": "2026-03-02T09:15:04.120Z",
    "costUsd": 0.184213,
    "createdOn": "2026-03-02T09:14:58.004Z",
}
COMMENT_EXAMPLE: dict[str, Any] = {
    "id": "01K9CMT0000000000000000001",
    "text": "@agent:copywriter please name the subsidy in the first paragraph.",
    "type": "intervention_note",
    "author": {"id": "01K9SER0000000000000000001", "name": "Mara Lind", "type": "human"},
    "mentions": [{"type": "agent", "id": "01K9AGT0000000000000000001", "name": "Copywriter"}],
    "createdOn": "2026-03-02T09:20:00.000Z",
}


class ActivitySummaryOut(Camel):
    """An activity as lists show it."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUMMARY_EXAMPLE]})

    id: str
    title: str
    type: ActivityType
    status: ActivityStatus
    agent_role: str | None = Field(description="Null when a human does it.")
    assignee_name: str
    campaign_id: str
    campaign_name: str
    deliverable_id: Absent[str] = None
    approval_id: Absent[str] = Field(
        None, description="The approval that it waits for, else its latest one."
    )
    wake_reason: Absent[WakeReason] = None
    started_at: Absent[Moment] = Field(None, description="When its first run started.")
    completed_at: Absent[Moment] = None
    cost_usd: Money = Field(description="What all its runs cost together.")
    created_on: Moment


write_summary = writer(ActivitySummaryOut)


class ActivityDeliverableOut(Camel):
    """The deliverable that an activity works towards."""

    id: str
    type: DeliverableType


class ActivityApprovalOut(Camel):
    """The approval that an activity waits for, else its latest one."""

    id: str
    type: ApprovalType
    status: ApprovalStatus


class ActivityRunOut(Camel):
    """A run that has ended; without completedAt its time-out cut it off."""

    id: str
    status: RunStatus
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: Money
    duration_ms: int
    started_at: Moment
    completed_at: Absent[Moment] = None
    error: Absent[RunError] = None

    @classmethod
    def of(cls, run: RunRow) -> "ActivityRunOut":
        return cls(
            id=run.id,
            status=RunStatus(run.status),
            model=run.model,
            input_tokens=run.input_tokens,
            output_tokens=run.output_tokens,
            cost_usd=run.cost_usd,
            duration_ms=run.duration_ms,
            started_at=run.started_at,
            completed_at=run.ended_at,
            error=RunError(run.error) if run.error else None,
        )


class MentionOut(Camel):
    """A principal that a comment mentions."""

    type: PrincipalType
    id: str
    name: str


class ActivityCommentOut(Camel):
    """A remark on an activity, or a note that its running agent reads at the next turn."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMMENT_EXAMPLE]})

    id: str
    text: str
    type: CommentType
    author: PrincipalRef
    mentions: list[MentionOut]
    created_on: Moment

    @classmethod
    def of(cls, comment: CommentRow) -> "ActivityCommentOut":
        return cls(
            id=comment.id,
            text=comment.text,
            type=CommentType(comment.type),
            author=PrincipalRef(
                id=comment.author_id,
                name=comment.author_name,
                type=PrincipalType(comment.author_type),
            ),
            mentions=[MentionOut.model_validate(mention) for mention in comment.mentions],
            created_on=comment.created_on,
        )


class ActivityDetailOut(Camel):
    """One activity in full."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01K9ACT0000000000000000001",
                    "title": "Why small teams switch to heat pumps",
                    "type": "blog_post",
                    "status": "awaiting_approval",
                    "agentRole": "copywriter",
                    "assignee": {
                        "id": "01K9AGT0000000000000000001",
                        "name": "Copywriter",
                        "type": "agent",
                    },
                    "campaign": {
                        "id": "01K9CMP0000000000000000001",
                        "name": "Spring heat pumps",
                    },
                    "deliverable": {"id": "01K9DEV0000000000000000001", "type": "blog_post"},
                    "approval": {
                        "id": "01K9APR0000000000000000001",
                        "type": "content_review",
                        "status": "pending",
                    },
                    "inputPrompt": "Write 800 words for owners of small offices.",
                    "outputRef": "01K9TPT0000000000000000001",
                    "outputPreview": "# Why small teams switch to heat pumps",
                    "comments": [COMMENT_EXAMPLE],
                    "runs": [
                        {
                            "id": "01K9RVN0000000000000000001",
                            "status": "completed",
                            "model": "claude-sonnet-4-5",
                            "inputTokens": 5210,
                            "outputTokens": 1804,
                            "costUsd": 0.04269,
                            "durationMs": 41200,
                            "startedAt": "2026-03-02T09:15:04.120Z",
                            "completedAt": "2026-03-02T09:15:45.320Z",
                        }
                    ],
                    "subtasks": [],
                    "createdOn": "2026-03-02T09:14:58.004Z",
                    "updatedOn": "2026-03-02T09:15:45.320Z",
                }
            ]
        }
    )

    id: str
    title: str
    type: ActivityType
    status: ActivityStatus
    agent_role: str | None = Field(description="Null when a human does it.")
    assignee: PrincipalRef
    campaign: Ref
    deliverable: Absent[ActivityDeliverableOut] = None
    approval: Absent[ActivityApprovalOut] = None
    input_prompt: str
    output_ref: Absent[str] = Field(None, description="Names the full text of the output.")
    output_preview: Absent[str] = Field(None, description="The output's first 500 characters.")
    comments: list[ActivityCommentOut] = Field(description="Oldest first.")
    runs: list[ActivityRunOut] = Field(description="The runs that have ended, newest first.")
    subtasks: list[ActivitySummaryOut] = Field(description="Oldest first.")
    created_on: Moment
    updated_on: Moment

    @classmethod
    def of(
        cls,
        found: ActivityInFull,
        *,
        comments: list[ActivityCommentOut],
        runs: list[ActivityRunOut],
        subtasks: list[ActivitySummaryOut],
    ) -> "ActivityDetailOut":
        return cls(
            id=found.id,
            title=found.title,
            type=ActivityType(found.type),
            status=ActivityStatus(found.status),
            agent_role=found.agent_role,
            assignee=PrincipalRef(
                id=found.assignee_id,
                name=found.assignee_name,
                type=PrincipalType(found.assignee_type),
            ),
            campaign=Ref(id=found.campaign_id, name=found.campaign_name),
            deliverable=_deliverable(found),
            approval=_approval(found),
            input_prompt=found.input_prompt,
            output_ref=found.output_id,
            output_preview=found.output_preview,
            comments=comments,
            runs=runs,
            subtasks=subtasks,
            created_on=found.created_on,
            updated_on=found.updated_on,
        )


def _deliverable(found: ActivityInFull) -> ActivityDeliverableOut | None:
    if found.deliverable_id is None or found.deliverable_type is None:
        return None
    kind = DeliverableType(found.deliverable_type)
    return ActivityDeliverableOut(id=found.deliverable_id, type=kind)


def _approval(found: ActivityInFull) -> ActivityApprovalOut | None:
    if found.approval_id is None or found.approval_type is None or found.approval_status is None:
        return None
    return ActivityApprovalOut(
        id=found.approval_id,
        type=ApprovalType(found.approval_type),
        status=ApprovalStatus(found.approval_status),
    )


class ActivityOutputOut(Camel):
    """The whole text of an activity's newest output."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "activityId": "01K9ACT0000000000000000001",
                    "text": "# Why small teams switch to heat pumps\n\nA boiler ...",
                    "format": "markdown",
                    "createdOn": "2026-03-02T09:15:45.320Z",
                }
            ]
        }
    )

    activity_id: str
    text: str
    format: OutputFormat
    created_on: Moment


class RetryIn(Camel):
    """Nothing: a retry needs no words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class RetriedOut(Camel):
    """The new run of a retried activity."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "activityId": "01K9ACT0000000000000000001",
                    "runId": "01K9RVN0000000000000000002",
                }
            ]
        }
    )

    activity_id: str
    run_id: str


class CompleteIn(Camel):
    """The result of an activity that a person has done."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"output": "Called the venue; it is booked.", "format": "plain"}]
        }
    )

    output: str = Field(min_length=1, max_length=200_000)
    format: OutputFormat = OutputFormat.MARKDOWN


class CommentIn(Camel):
    """A comment; principals are mentioned as @agent:role and @human:userId."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "text": "@agent:copywriter please name the subsidy in the first paragraph.",
                    "type": "intervention_note",
                }
            ]
        }
    )

    text: str = Field(min_length=1, max_length=10_000)
    type: CommentType = CommentType.COMMENT
