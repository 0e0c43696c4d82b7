"""Starting the workflows of activities and approvals from others, which they outlive."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from models.contracts.agent_activities import CarryOutActivity
from models.contracts.approvals import AwaitApproval
from models.rules.vocabulary import ActivityStatus, ApprovalStatus
from workflows import policies, visibility


async def start_activity(order: CarryOutActivity) -> None:
    """Start an activity's workflow; one that is at work already stays as it is."""
    try:
        await workflow.start_child_workflow(
            "agent_activity",
            order,
            id=visibility.activity_workflow(order.activity_id),
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=f"{order.role}: {order.title}",
            search_attributes=visibility.attributes(
                tenant_id=order.tenant_id,
                campaign_id=order.campaign_id,
                kind="activity",
                status=ActivityStatus.ASSIGNED,
            ),
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("activity is at work", extra={"activity": order.activity_id})


async def start_approval(awaited: AwaitApproval) -> None:
    """Start an approval's workflow; one that waits already stays as it is."""
    try:
        await workflow.start_child_workflow(
            "approval",
            awaited,
            id=visibility.approval_workflow(awaited.approval_id),
            parent_close_policy=ParentClosePolicy.ABANDON,
            task_timeout=policies.APPROVAL_TASK_TIMEOUT,
            static_summary=awaited.title,
            search_attributes=visibility.attributes(
                tenant_id=awaited.tenant_id,
                campaign_id=awaited.campaign_id,
                kind="approval",
                status=ApprovalStatus.PENDING,
            ),
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("approval waits", extra={"approval": awaited.approval_id})
