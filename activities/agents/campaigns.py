"""Steps of a campaign: stored, activated with its plan, advanced, changed, put away."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.agents.heartbeats import heartbeats
from activities.agents.intake import insert_draft
from models.contracts.campaigns import (
    Advance,
    AdvanceCampaign,
    ApplyChange,
    AskBudget,
    BudgetAnswer,
    CampaignFacts,
    CampaignRef,
    Changed,
    CreateCampaign,
    PutAway,
    StartOrder,
)
from models.db.database import Database
from models.errors import Conflict, NotFound
from models.ids import derived_id
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import approvals_write as approvals
from models.queries.agents import campaigns_write as campaigns
from models.queries.agents import purse
from models.queries.records import audit
from models.queries.tenants import agent_id
from models.rules.approvals import BUDGET_RISK, EXPIRY
from models.rules.periods import Period, begun
from models.rules.plans import PlannedActivity, expand, from_json
from models.rules.vocabulary import (
    ActivityStatus,
    ApprovalType,
    CampaignStatus,
    WakeReason,
)

BATCH = 100
LIVE_LIMIT = 500
"""Activities of one campaign that have a workflow at a time; the others wait in the record."""


def planner_id(campaign_id: str) -> str:
    """The id of the activity that plans a campaign."""
    return derived_id("planner", campaign_id)


class CampaignSteps:
    """What a campaign's workflow does to the record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="campaign.create")
    async def create(self, create: CreateCampaign) -> None:
        """Store the brief as a draft, with the planner's activity, or refuse it whole."""
        async with self._database.tenant(create.tenant_id) as db:
            await insert_draft(db, create, planner_id(create.campaign_id))

    @activity.defn(name="campaign.facts")
    async def facts(self, ref: CampaignRef) -> CampaignFacts:
        """Read what the workflow goes by."""
        async with self._database.tenant(ref.tenant_id) as db:
            row = await _locked(db, ref.campaign_id)
            return CampaignFacts(
                name=row.name,
                status=CampaignStatus(row.status),
                start_date=row.start_date,
                end_date=row.end_date,
                anchor_date=row.anchor_date,
                periods_open=await campaigns.open_periods(db, row.id),
                planner_id=planner_id(row.id),
                planned=await campaigns.is_done(db, planner_id(row.id)),
                unsettled=await agent_activities.unsettled(db, row.id),
            )

    @activity.defn(name="campaign.activate")
    async def activate(self, ref: CampaignRef) -> None:
        """Turn a planned draft active; months count from its start date, or from today."""
        async with self._database.tenant(ref.tenant_id) as db:
            row = await _locked(db, ref.campaign_id)
            if row.status != CampaignStatus.DRAFT:
                return
            if row.plan is None:
                raise Conflict("The campaign has no plan yet.")
            await campaigns.change(
                db,
                row.id,
                ref.at,
                status=CampaignStatus.ACTIVE,
                anchor_date=row.start_date or ref.at.date(),
            )

    @activity.defn(name="campaign.open_periods")
    async def open_periods(self, ref: CampaignRef) -> int:
        """Open every period that has begun, with its activities; answers how many are open."""
        async with heartbeats(), self._database.tenant(ref.tenant_id) as db:
            row = await _locked(db, ref.campaign_id)
            if row.anchor_date is None or row.status == CampaignStatus.ARCHIVED:
                return 0
            already = await campaigns.open_periods(db, row.id)
            periods = begun(row.anchor_date, ref.at.date(), row.end_date)
            for period in periods[already:]:
                await _open_period(db, row, period)
            return len(periods)

    @activity.defn(name="campaign.advance")
    async def advance(self, ref: AdvanceCampaign) -> Advance:
        """Hand what is ready to its agents; the same batch hands out the same, however often."""
        async with self._database.tenant(ref.tenant_id) as db:
            row = await _locked(db, ref.campaign_id)
            unsettled = await agent_activities.unsettled(db, row.id)
            if row.status != CampaignStatus.ACTIVE:
                return Advance(start=(), more=False, unsettled=unsettled)
            out = await campaigns.handed_out(db, row.id, ref.batch)
            if not out:
                room = LIVE_LIMIT - await campaigns.running(db, row.id)
                found = await campaigns.ready(db, row.id, limit=max(min(BATCH, room), 0))
                for depends, reason in (
                    (True, WakeReason.DEPENDENCY_DONE),
                    (False, WakeReason.PLANNED),
                ):
                    ids = [one.id for one in found if one.depends is depends]
                    await agent_activities.assign(db, ids, reason, ref.at, by=ref.batch)
                out = await campaigns.handed_out(db, row.id, ref.batch)
            return Advance(
                start=tuple(
                    StartOrder(
                        activity_id=one.id,
                        title=one.title,
                        role=one.agent_role or "",
                        wake_reason=one.wake_reason,
                    )
                    for one in out
                ),
                more=len(out) == BATCH,
                unsettled=unsettled,
            )

    @activity.defn(name="campaign.complete")
    async def complete(self, ref: CampaignRef) -> None:
        """Its dates are over and no work is left."""
        async with self._database.tenant(ref.tenant_id) as db:
            row = await _locked(db, ref.campaign_id)
            if row.status == CampaignStatus.ACTIVE:
                await campaigns.change(db, row.id, ref.at, status=CampaignStatus.COMPLETED)

    @activity.defn(name="campaign.change")
    async def change(self, apply: ApplyChange) -> Changed:
        """Write what an admin changed, with its audit entry, and say who must hear of it."""
        async with self._database.tenant(apply.tenant_id) as db:
            row = await _locked(db, apply.campaign_id)
            values = _changes(row, apply)
            wake: list[str] = []
            approved = None
            if _frees_money(row, apply, values):
                wake = await campaigns.held_for_budget(db, row.id)
                approved = await approvals.pending_authorization(db, row.id)
            if values:
                await campaigns.change(db, row.id, apply.at, **values)
                await audit.record(
                    db,
                    apply.tenant_id,
                    apply.change.actor,
                    entity="campaign",
                    entity_id=row.id,
                    action="updated",
                    changes=values,
                )
            return Changed(
                status=CampaignStatus(values.get("status", row.status)),
                wake=tuple(wake),
                approved=() if approved is None else (approved,),
                live=tuple(await campaigns.live(db, row.id)),
            )

    @activity.defn(name="campaign.archive")
    async def archive(self, away: PutAway) -> Changed:
        """Put the campaign away; answers whom to tell. Doing it again changes nothing."""
        async with self._database.tenant(away.tenant_id) as db:
            row = await _locked(db, away.campaign_id)
            if row.is_system:
                raise Conflict("The system campaign cannot be archived.")
            if row.status != CampaignStatus.ARCHIVED:
                await campaigns.archive(db, row.id, away.at)
                await audit.record(
                    db,
                    away.tenant_id,
                    away.actor,
                    entity="campaign",
                    entity_id=row.id,
                    action="archived",
                )
            return Changed(
                status=CampaignStatus.ARCHIVED,
                live=tuple(await campaigns.live(db, row.id)),
                pending=tuple(await approvals.pending_of_campaign(db, row.id)),
            )

    @activity.defn(name="campaign.ask_budget")
    async def ask_budget(self, ask: AskBudget) -> BudgetAnswer:
        """Ask for money beyond the cap, once for each value of it, for all that is held."""
        async with self._database.tenant(ask.tenant_id) as db:
            row = await _locked(db, ask.campaign_id)
            if ask.hold.cap != row.budget_cap_usd:
                return BudgetAnswer(wake=True)
            await purse.alert_exhausted(db, ask.tenant_id, row.id)
            held = ask.hold.activity_id
            pending = await approvals.pending_authorization(db, row.id)
            if pending is not None:
                await approvals.link(db, ask.tenant_id, pending, [held])
                await campaigns.wait_for_authorization(db, [held], pending)
                # Ours already: this step ran before, and its worker died.
                return await _opened(db, pending) if pending == ask.approval_id else BudgetAnswer()
            if row.asked_cap == row.budget_cap_usd:
                return BudgetAnswer()
            title = f"{row.name} has used up its budget of ${row.budget_cap_usd:.2f}"
            await approvals.ask(
                db,
                tenant_id=ask.tenant_id,
                approval_id=ask.approval_id,
                campaign_id=row.id,
                activity_ids=[held],
                kind=ApprovalType.BUDGET_AUTHORIZATION,
                risk=BUDGET_RISK,
                title=title[:200],
                description=(
                    f"${row.spent_usd} of ${row.budget_cap_usd} is spent. Approving lets the "
                    "activities that are held run beyond the cap; raising the cap does too."
                ),
                options=None,
                content_hash=None,
                cost_so_far=row.spent_usd,
                created_by=await agent_activities.assignee(db, held),
                at=ask.at,
                expires_at=ask.at + EXPIRY,
            )
            await campaigns.wait_for_authorization(db, [held], ask.approval_id)
            await campaigns.change(db, row.id, ask.at, asked_cap=row.budget_cap_usd)
            return BudgetAnswer(
                approval_id=ask.approval_id, title=title[:200], expires_at=ask.at + EXPIRY
            )


async def _locked(db: AsyncConnection, campaign_id: str) -> Any:
    row = await campaigns.locked(db, campaign_id)
    if row is None:
        raise NotFound("There is no such campaign.")
    return row


async def _opened(db: AsyncConnection, approval_id: str) -> BudgetAnswer:
    row = await approvals.locked(db, approval_id)
    assert row is not None
    return BudgetAnswer(approval_id=row.id, title=row.title, expires_at=row.expires_at)


async def _open_period(db: AsyncConnection, row: Any, period: Period) -> None:
    """Insert a period for each deliverable, and the plan's activities for it."""
    ordered = await campaigns.deliverables(db, row.id)
    period_ids = {one.id: derived_id("period", one.id, str(period.number)) for one in ordered}
    await campaigns.insert_periods(
        db,
        [
            campaigns.period_rows(
                tenant_id=row.tenant_id,
                campaign_id=row.id,
                deliverable=one,
                number=period.number,
                start=period.start,
                end=period.end,
                period_id=period_ids[one.id],
            )
            for one in ordered
        ],
    )
    planned = expand(from_json(row.plan or []))

    def id_of(key: str, copy: int) -> str:
        return derived_id("planned", row.id, str(period.number), key, str(copy))

    await agent_activities.create(
        db, [_planned_row(row, one, id_of(one.key, one.copy), period_ids) for one in planned]
    )
    await campaigns.insert_dependencies(
        db,
        [
            {
                "tenant_id": row.tenant_id,
                "activity_id": id_of(one.key, one.copy),
                "needs_id": id_of(key, copy),
            }
            for one in planned
            for key, copy in one.needs
        ],
    )


def _planned_row(
    row: Any, one: PlannedActivity, activity_id: str, period_ids: dict[str, str]
) -> dict[str, Any]:
    deliverable = one.deliverable_id
    return {
        "id": activity_id,
        "tenant_id": row.tenant_id,
        "campaign_id": row.id,
        "deliverable_id": deliverable,
        "period_id": period_ids.get(deliverable) if deliverable else None,
        "title": one.title,
        "type": one.type,
        "status": ActivityStatus.CREATED,
        "agent_role": one.role,
        "assignee_id": agent_id(row.tenant_id, one.role),
        "input_prompt": one.prompt,
        "risk": one.risk,
    }


def _frees_money(row: Any, apply: ApplyChange, values: dict[str, Any]) -> bool:
    """Tell whether the change raises or lifts the cap, or did so before its worker died."""
    if "budget_cap_usd" in values:
        cap, old = values["budget_cap_usd"], row.budget_cap_usd
        raised = cap is None or (old is not None and cap > old)
        if raised:
            values["asked_cap"] = None
        return raised
    names_cap = apply.change.lift_cap or apply.change.budget_cap_usd is not None
    return names_cap and row.asked_cap is None


def _changes(row: Any, apply: ApplyChange) -> dict[str, Any]:
    """The columns that change; refuses what the campaign's state does not allow."""
    change = apply.change
    if row.is_system or row.status == CampaignStatus.ARCHIVED:
        raise Conflict("An archived campaign and the system campaign cannot be changed.")
    values: dict[str, Any] = {}
    if change.name is not None and change.name != row.name:
        values["name"] = change.name
    if change.brief is not None and change.brief != row.brief:
        values["brief"] = change.brief
    if change.lift_cap and row.budget_cap_usd is not None:
        values["budget_cap_usd"] = None
    elif change.budget_cap_usd is not None and change.budget_cap_usd != row.budget_cap_usd:
        values["budget_cap_usd"] = change.budget_cap_usd
    if change.status is not None and change.status != row.status:
        if row.status not in {CampaignStatus.ACTIVE, CampaignStatus.PAUSED}:
            raise Conflict(f"A campaign that is {row.status} can be neither paused nor resumed.")
        values["status"] = change.status
    return values
