"""Steps of an approval: each writes what happened, with its audit entry and its event."""

from datetime import timedelta

from temporalio import activity

from models.contracts.actors import SYSTEM
from models.contracts.approvals import (
    Decide,
    Opened,
    Remind,
    Reopen,
    ResolvedApproval,
)
from models.db.database import Database
from models.db.rows import AnyRow
from models.errors import Conflict, NotFound, Unprocessable
from models.queries.agents import agent_activities_write as agent_activities
from models.queries.agents import approvals_write as approvals
from models.queries.agents import campaigns_write as campaigns
from models.queries.records import audit
from models.rules.vocabulary import (
    ApprovalStatus,
    ApprovalType,
    CampaignStatus,
    Resolution,
    RiskLevel,
    WakeReason,
)


class ApprovalSteps:
    """What an approval's workflow does to the record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="approval.remind")
    async def remind(self, remind: Remind) -> None:
        """Announce that the approval will expire, once; nothing if it ended meanwhile."""
        async with self._database.tenant(remind.tenant_id) as db:
            await approvals.remind(db, remind.tenant_id, remind.approval_id, remind.hours_left)

    @activity.defn(name="approval.resolve")
    async def resolve(self, decide: Decide) -> ResolvedApproval:
        """Record an admin's decision, unless one is recorded: then `found` says which."""
        decision = decide.decision
        assert decision is not None
        async with self._database.tenant(decide.tenant_id) as db:
            row = await approvals.locked(db, decide.approval_id)
            if row is None:
                raise NotFound("There is no such approval.")
            ids = await approvals.waiting_activities(db, row.id)
            if row.resolution is not None:
                return _recorded(row, ids, found=row.decision_id != decision.id)
            if row.status != ApprovalStatus.PENDING:
                raise Conflict("The approval is not pending any more.")
            await approvals.decide(db, row.id, decision, decide.at)
            budget = row.type == ApprovalType.BUDGET_AUTHORIZATION
            if budget and decision.resolution is Resolution.APPROVED:
                await approvals.allow_beyond_cap(db, ids)
                # It covers what was held; what is held later may be asked for anew.
                await campaigns.change(db, row.campaign_id, decide.at, asked_cap=None)
            await audit.record(
                db,
                decide.tenant_id,
                decision.actor,
                entity="approval",
                entity_id=row.id,
                action=decision.resolution.value,
                changes={
                    "note": decision.note,
                    "selectedOption": decision.selected_option,
                    "contentHash": row.content_hash,
                    "activities": ids,
                },
            )
        return ResolvedApproval(
            approval_id=decide.approval_id,
            resolution=decision.resolution,
            re_enqueued=len(ids),
            activity_ids=tuple(ids),
        )

    @activity.defn(name="approval.close")
    async def close(self, decide: Decide) -> ResolvedApproval:
        """Record that the approval expired, or that raising the cap approved it."""
        closing = decide.closing
        assert closing is not None
        raised = closing.wake_reason is WakeReason.BUDGET_RAISED
        async with self._database.tenant(decide.tenant_id) as db:
            row = await approvals.locked(db, decide.approval_id)
            if row is None:
                raise NotFound("There is no such approval.")
            ids = await approvals.waiting_activities(db, row.id)
            if row.resolution is not None and not raised:
                # Whoever wrote the decision died before its workflow could tell of it.
                return _recorded(row, ids, found=True)
            if row.status == ApprovalStatus.PENDING:
                await approvals.close(db, row.id, closing, decide.at)
                await audit.record(
                    db,
                    decide.tenant_id,
                    closing.actor or SYSTEM,
                    entity="approval",
                    entity_id=row.id,
                    action="approved" if raised else "expired",
                    changes={"because": closing.wake_reason, "activities": ids},
                )
        return ResolvedApproval(
            approval_id=decide.approval_id,
            resolution=Resolution.APPROVED if raised else Resolution.REJECTED,
            re_enqueued=len(ids) if raised else 0,
            activity_ids=tuple(ids),
        )

    @activity.defn(name="approval.reopen")
    async def reopen(self, reopen: Reopen) -> Opened:
        """Make a pending approval that asks the expired one anew."""
        async with self._database.tenant(reopen.tenant_id) as db:
            old = await approvals.locked(db, reopen.reopens_id)
            if old is None:
                raise NotFound("There is no such approval.")
            ids = await approvals.waiting_activities(db, old.id)
            done = await approvals.reopened(db, old.id, reopen.approval_id)
            if done is not None:
                return done
            if old.status != ApprovalStatus.EXPIRED or not ids:
                raise Conflict("The approval is not expired, or its activities went on without it.")
            campaign = await campaigns.locked(db, old.campaign_id)
            if campaign is None or campaign.status == CampaignStatus.ARCHIVED:
                raise Unprocessable("The campaign of this approval is archived.")
            expires_at = reopen.at + timedelta(hours=reopen.asked.expires_in_hours)
            await approvals.ask(
                db,
                tenant_id=reopen.tenant_id,
                approval_id=reopen.approval_id,
                campaign_id=old.campaign_id,
                activity_ids=ids,
                kind=ApprovalType(old.type),
                risk=RiskLevel(old.risk_level),
                title=old.title,
                description=old.description,
                options=old.options,
                content_hash=old.content_hash,
                cost_so_far=old.cost_so_far_usd,
                created_by=old.created_by,
                at=reopen.at,
                expires_at=expires_at,
                reopens_id=old.id,
            )
            await agent_activities.await_approval(db, ids, reopen.approval_id, reopen.at)
            await audit.record(
                db,
                reopen.tenant_id,
                reopen.asked.actor,
                entity="approval",
                entity_id=reopen.approval_id,
                action="reopened",
                changes={"reopens": old.id, "expiresAt": expires_at},
            )
            return Opened(
                title=old.title,
                expires_at=expires_at,
                options=tuple(old.options or ()),
                activity_ids=tuple(ids),
            )


def _recorded(row: AnyRow, ids: list[str], *, found: bool) -> ResolvedApproval:
    """The decision that the record holds."""
    return ResolvedApproval(
        approval_id=row.id,
        resolution=Resolution(row.resolution),
        re_enqueued=len(ids),
        activity_ids=tuple(ids),
        found=found,
    )
