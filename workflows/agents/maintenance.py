"""The round that keeps the record honest and small; a schedule starts it every minute."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from activities.agents.reconciliation import ReconcilerSteps
from models.contracts.campaigns import LaunchCampaign
from models.contracts.maintenance import Orphan, Sweep
from workflows import policies, visibility
from workflows.agents.campaigns import CampaignWorkflow
from workflows.visibility import campaign_workflow


@workflow.defn(name="maintenance")
class MaintenanceWorkflow:
    """Compares the record with Temporal, starts what is missing, and forgets what is past."""

    @workflow.run
    async def run(self) -> str:
        """One round; answers in words what it found."""
        sweep = Sweep(at=workflow.now())
        found = await workflow.execute_activity_method(
            ReconcilerSteps.reconcile, sweep, **policies.BULK
        )
        for orphan in found.restart:
            await self._restart(orphan)
        gone = await workflow.execute_activity_method(
            ReconcilerSteps.forget, sweep, **policies.BULK
        )
        return f"{found.in_words()}; {gone} rows forgotten"

    async def _restart(self, orphan: Orphan) -> None:
        try:
            await workflow.start_child_workflow(
                CampaignWorkflow.run,
                LaunchCampaign(
                    tenant_id=orphan.tenant_id, campaign_id=orphan.campaign_id, resume=True
                ),
                id=campaign_workflow(orphan.campaign_id),
                parent_close_policy=ParentClosePolicy.ABANDON,
                static_summary=orphan.name,
                search_attributes=visibility.attributes(
                    tenant_id=orphan.tenant_id,
                    campaign_id=orphan.campaign_id,
                    kind="campaign",
                    status="draft",
                ),
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("campaign runs again", extra={"campaign": orphan.campaign_id})
