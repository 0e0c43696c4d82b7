"""Approvals: the queue, one for review, decisions, and asking anew what has expired."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from api.agents.approvals.schemas import (
    ApprovalDetailOut,
    ApprovalOut,
    ApprovalStatsOut,
    ReopenIn,
    ResolvedOut,
    ResolveIn,
    write_approval,
)
from api.http.auth import Admin, Principal, Reader
from api.http.commands import Commands, WorkflowGone
from api.http.db import ReadDb
from api.http.filters import Several
from api.http.idempotency import IdempotencyKey, IdempotentRoute
from api.http.paging import Paging
from api.http.problems import problems
from api.http.services import Given, Services
from api.http.wire import Page, UlidPath
from models.contracts.approvals import (
    AwaitApproval,
    ReopenApproval,
    ResolveApproval,
    ResolvedApproval,
)
from models.errors import Conflict, Invalid, NotFound, ProblemItem, Unavailable, Unprocessable
from models.queries.agents import approvals_read
from models.queries.agents.approvals_read import Standing
from models.rules.vocabulary import (
    ApprovalStatus,
    ApprovalType,
    CampaignStatus,
    Resolution,
    RiskLevel,
)
from workflows.agents.approvals import ApprovalWorkflow
from workflows.visibility import approval_workflow

router = APIRouter(prefix="/approvals", tags=["Approvals"], route_class=IdempotentRoute)

_MISSING = "There is no such approval."


@router.get("", summary="List approvals", response_model=Page[ApprovalOut])
async def list_approvals(
    reader: Reader,
    db: ReadDb,
    paging: Paging,
    statuses: Annotated[
        Several[ApprovalStatus] | None,
        Query(alias="filter.status", description="Any of these; without it the pending ones."),
    ] = None,
    types: Annotated[
        Several[ApprovalType] | None, Query(alias="filter.type", description="Any of these.")
    ] = None,
    risk_levels: Annotated[
        Several[RiskLevel] | None, Query(alias="filter.riskLevel", description="Any of these.")
    ] = None,
) -> Response:
    """List the tenant's approvals, newest first: the pending ones unless a filter asks for more."""
    rows = await approvals_read.page(
        db,
        statuses=statuses or (ApprovalStatus.PENDING,),
        types=types or (),
        risk_levels=risk_levels or (),
        limit=paging.fetch,
        after=paging.after,
    )
    return paging.answer(rows, write_approval)


@router.get("/stats", summary="Count the approval queue")
async def count_approvals(reader: Reader, db: ReadDb) -> ApprovalStatsOut:
    """Count what waits, and what people have resolved since Monday."""
    queue = await approvals_read.queue(db, datetime.now(UTC))
    return ApprovalStatsOut(
        pending=queue.pending,
        high_risk=queue.high_risk,
        expiring_in_24h=queue.expiring,
        resolved_this_week=queue.resolved,
    )


@router.get("/{approval_id}", summary="Show an approval", responses=problems(404))
async def get_approval(approval_id: UlidPath, reader: Reader, db: ReadDb) -> ApprovalDetailOut:
    """Show one approval with its linked activities and the beginning of what they made."""
    found = await approvals_read.one(db, approval_id)
    if found is None:
        raise NotFound(_MISSING)
    return ApprovalDetailOut.of(found, await approvals_read.linked_outputs(db, approval_id))


@router.post(
    "/{approval_id}/resolve",
    summary="Decide an approval",
    responses=problems(
        404,
        409,
        422,
        why={
            409: "The approval is not pending.",
            422: "An option must be chosen and is not, or is none of the approval's.",
        },
    ),
)
async def resolve_approval(
    approval_id: UlidPath,
    decision: ResolveIn,
    admin: Admin,
    key: IdempotencyKey,
    services: Given,
    commands: Commands,
) -> ResolvedOut:
    """Approve, reject, or ask for a revision; the first decision counts, a second gets 409."""
    note = decision.note if decision.note and decision.note.strip() else None
    if decision.resolution is not Resolution.APPROVED and note is None:
        item = ProblemItem(location="body.note", message="Needed unless the answer is approved")
        raise Invalid("A note is needed.", item)
    standing = await _standing(services, admin, approval_id)
    # A repeat whose first answer was lost is answered by the workflow, which knows its key.
    may_repeat = key.value is not None and standing.resolved_by == admin.id
    if standing.status is not ApprovalStatus.PENDING and not may_repeat:
        raise Conflict(f"The approval is not pending but {standing.status}.")
    decided = ResolveApproval(
        id=key.derived_id("resolve"),
        actor=admin.actor,
        resolution=decision.resolution,
        selected_option=decision.selected_option,
        note=note,
    )
    try:
        resolved = await commands.update(
            approval_workflow(approval_id),
            ApprovalWorkflow.resolve,
            decided,
            update_id=decided.id,
        )
    except WorkflowGone:
        resolved = await _recorded(services, admin, approval_id, decided)
    return ResolvedOut(
        approval_id=approval_id,
        resolution=resolved.resolution,
        re_enqueued_activities=resolved.re_enqueued,
    )


@router.post(
    "/{approval_id}/reopen",
    status_code=201,
    summary="Ask an expired approval anew",
    responses=problems(
        404,
        409,
        422,
        why={
            409: "The approval has not expired, or its activities went on without it.",
            422: "The campaign is archived.",
        },
    ),
)
async def reopen_approval(
    approval_id: UlidPath,
    admin: Admin,
    key: IdempotencyKey,
    services: Given,
    commands: Commands,
    asked: Annotated[ReopenIn | None, Body()] = None,
) -> ApprovalOut:
    """Create a new approval with the same question, for the same activities."""
    standing = await _standing(services, admin, approval_id)
    if standing.status is not ApprovalStatus.EXPIRED:
        raise Conflict(f"The approval has not expired; it is {standing.status}.")
    if standing.campaign_status is CampaignStatus.ARCHIVED:
        raise Unprocessable("The campaign of the approval is archived.")
    new_id = key.derived_id("approval", approval_id)
    await commands.update_with_start(
        ApprovalWorkflow.run,
        AwaitApproval(
            tenant_id=admin.tenant_id,
            campaign_id=standing.campaign_id,
            approval_id=new_id,
            reopens_id=approval_id,
        ),
        ApprovalWorkflow.reopen,
        ReopenApproval(actor=admin.actor, expires_in_hours=(asked or ReopenIn()).expires_in_hours),
        id=approval_workflow(new_id),
        kind="approval",
        campaign_id=standing.campaign_id,
        status=ApprovalStatus.PENDING,
        update_id="reopen",
    )
    async with services.database.tenant(admin.tenant_id) as db:
        reopened = await approvals_read.one(db, new_id)
    if reopened is None:
        raise NotFound(_MISSING)
    return ApprovalOut.of(reopened)


async def _standing(services: Services, admin: Principal, approval_id: str) -> Standing:
    async with services.database.tenant(admin.tenant_id) as db:
        standing = await approvals_read.standing(db, approval_id)
    if standing is None:
        raise NotFound(_MISSING)
    return standing


async def _recorded(
    services: Services, admin: Principal, approval_id: str, decided: ResolveApproval
) -> ResolvedApproval:
    """What came of a decision whose workflow ended before it answered.

    The record may hold this very decision; else somebody was faster, or the workflow was ended by
    hand and is yet to be restored.
    """
    async with services.database.tenant(admin.tenant_id) as db:
        row = await approvals_read.one(db, approval_id)
    if row is None:
        raise NotFound(_MISSING)
    if row.status == ApprovalStatus.PENDING:
        raise Unavailable("The approval cannot be decided just now.", retry_after=5)
    if row.decision_id != decided.id:
        raise Conflict(f"The approval is not pending but {row.status}.")
    linked = tuple(activity["id"] for activity in row.linked)
    return ResolvedApproval(
        approval_id=approval_id,
        resolution=decided.resolution,
        re_enqueued=len(linked),
        activity_ids=linked,
    )
