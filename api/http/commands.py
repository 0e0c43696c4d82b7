"""`Commands`: start, update and signal workflows, with refusals and outages told apart.

A refusal by a workflow comes back as the `DomainError` that it raised. Silence (no worker, no
server) is 503 with Retry-After: the caller sends the same request again and meets its own work.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

import structlog
from fastapi import Depends, Request
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.types import MethodAsyncSingleParam
from temporalio.workflow import UpdateMethodMultiParam

from activities.with_start import heard
from api.http.auth import caller
from api.http.services import Temporal, services_of
from models.errors import BY_CODE, Conflict, Unavailable, from_details
from models.ids import new_id
from workflows import visibility
from workflows.policies import APPROVAL_TASK_TIMEOUT, TASK_QUEUE
from workflows.renewal import is_renewed

_log = structlog.get_logger(__name__)

_PATIENCE: Final = timedelta(seconds=10)
_RETRY_AFTER_S: Final = 5
_RESULT_RETRY_AFTER_S: Final = 10
_RENEWAL_S: Final = 0.1
_JOINED: Final = WorkflowIDConflictPolicy.USE_EXISTING
_ALONE: Final = WorkflowIDConflictPolicy.FAIL

W = TypeVar("W")
S = TypeVar("S")
A = TypeVar("A")
R = TypeVar("R")


class WorkflowGone(Unavailable):
    """No workflow runs under this id: it has ended, or there never was one. The record tells."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__("The work behind this is not running.", retry_after=_RETRY_AFTER_S)
        self.workflow_id = workflow_id


class Desk:
    """Takes one tenant's commands."""

    def __init__(self, temporal: Temporal, tenant_id: str) -> None:
        self._temporal = temporal
        self._tenant_id = tenant_id

    async def update_with_start(
        self,
        run: MethodAsyncSingleParam[W, S, Any],
        start: S,
        update: UpdateMethodMultiParam[[W, A], R],
        argument: A,
        *,
        id: str,
        kind: str,
        campaign_id: str = "",
        status: str = "",
        update_id: str | None = None,
        task_queue: str = TASK_QUEUE,
        static_summary: str | None = None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        patience: timedelta | None = None,
        retry_after: int = _RETRY_AFTER_S,
        must_start: bool = False,
    ) -> R:
        """Update the workflow of this id, started with `start` where it does not run.

        With `must_start` one that runs already is a `Conflict`, and hears nothing.

        With `patience` the answer is waited for so long at most, and the work goes on when that
        ends. It is waited for across the runs of a workflow that continues as new.
        """
        # One id for all attempts: by it the workflow's next run knows the update again.
        update_id = update_id or new_id()
        within = patience.total_seconds() if patience else None
        async with self._contact(id, retry_after) as temporal, asyncio.timeout(within):
            while True:
                beginning = self._beginning(
                    run, start, id=id, kind=kind, campaign_id=campaign_id, status=status,
                    task_queue=task_queue, static_summary=static_summary,
                    id_reuse_policy=id_reuse_policy, must_start=must_start,
                )  # fmt: skip
                try:
                    with heard(beginning):
                        return await temporal.execute_update_with_start_workflow(
                            update,
                            argument,
                            start_workflow_operation=beginning,
                            id=update_id,
                            rpc_timeout=patience or _PATIENCE,
                        )
                except WorkflowUpdateFailedError as error:
                    if not is_renewed(error.cause):
                        raise
                    await asyncio.sleep(_RENEWAL_S)

    async def tell_with_start(
        self,
        run: MethodAsyncSingleParam[W, S, Any],
        start: S,
        update: UpdateMethodMultiParam[[W, A], Any],
        argument: A,
        *,
        id: str,
        kind: str,
        update_id: str | None = None,
        task_queue: str = TASK_QUEUE,
        static_summary: str | None = None,
    ) -> None:
        """Update the workflow of this id, started where it does not run; wait for no answer.

        It returns once the workflow has accepted the update, which then survives everything.
        """
        beginning = self._beginning(
            run, start, id=id, kind=kind, task_queue=task_queue, static_summary=static_summary
        )
        async with self._contact(id) as temporal:
            with heard(beginning):
                await temporal.start_update_with_start_workflow(
                    update,
                    argument,
                    start_workflow_operation=beginning,
                    wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                    id=update_id,
                    rpc_timeout=_PATIENCE,
                )

    def _beginning(
        self,
        run: MethodAsyncSingleParam[W, S, Any],
        start: S,
        *,
        id: str,
        kind: str,
        campaign_id: str = "",
        status: str = "",
        task_queue: str,
        static_summary: str | None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        must_start: bool = False,
    ) -> WithStartWorkflowOperation[W, Any]:
        return WithStartWorkflowOperation(
            run,
            start,
            id=id,
            task_queue=task_queue,
            id_conflict_policy=_ALONE if must_start else _JOINED,
            id_reuse_policy=id_reuse_policy,
            task_timeout=APPROVAL_TASK_TIMEOUT if kind == "approval" else None,
            static_summary=static_summary,
            priority=Priority(fairness_key=self._tenant_id),
            search_attributes=visibility.attributes(
                tenant_id=self._tenant_id, campaign_id=campaign_id, kind=kind, status=status
            ),
        )

    async def update(
        self,
        workflow_id: str,
        update: UpdateMethodMultiParam[[Any, A], R],
        argument: A,
        update_id: str | None = None,
    ) -> R:
        """Update a running workflow; `WorkflowGone` when none runs under the id."""
        async with self._contact(workflow_id) as temporal:
            handle = temporal.get_workflow_handle(workflow_id)
            return await handle.execute_update(
                update, argument, id=update_id, rpc_timeout=_PATIENCE
            )

    async def run(
        self,
        run: MethodAsyncSingleParam[W, S, R],
        argument: S,
        *,
        id: str,
        kind: str,
        patience: timedelta,
        task_queue: str = TASK_QUEUE,
    ) -> R | None:
        """Run a short workflow (or join the one that runs); None when it does not end in time."""
        async with self._contact(id) as temporal:
            handle = await temporal.start_workflow(
                run,
                argument,
                id=id,
                task_queue=task_queue,
                id_conflict_policy=_JOINED,
                execution_timeout=patience,
                rpc_timeout=_PATIENCE,
                priority=Priority(fairness_key=self._tenant_id),
                search_attributes=visibility.attributes(
                    tenant_id=self._tenant_id, campaign_id="", kind=kind, status="running"
                ),
            )
            try:
                async with asyncio.timeout(patience.total_seconds()):
                    return await handle.result()
            except (TimeoutError, WorkflowFailureError) as error:
                _log.warning("workflow.unanswered", workflow_id=id, error=repr(error))
                return None

    async def result_of(
        self,
        run: MethodAsyncSingleParam[W, S, R],
        argument: S,
        *,
        id: str,
        kind: str,
        static_summary: str,
        patience: timedelta,
        task_queue: str = TASK_QUEUE,
    ) -> R:
        """Start the workflow of this id, or join the one that runs, and answer its result.

        What it refuses is raised as it was. One that takes longer than `patience` is left at work,
        and whoever asks again joins it.
        """
        async with self._contact(id) as temporal:
            handle = await temporal.start_workflow(
                run,
                argument,
                id=id,
                task_queue=task_queue,
                id_conflict_policy=_JOINED,
                rpc_timeout=_PATIENCE,
                static_summary=static_summary,
                priority=Priority(fairness_key=self._tenant_id),
                search_attributes=visibility.attributes(
                    tenant_id=self._tenant_id, campaign_id="", kind=kind, status="running"
                ),
            )
            try:
                async with asyncio.timeout(patience.total_seconds()):
                    return await handle.result()
            except TimeoutError as late:
                detail = "This takes longer than usual and goes on; ask again for its result."
                raise Unavailable(detail, retry_after=_RESULT_RETRY_AFTER_S) from late
            except WorkflowFailureError as failed:
                raise _refusal(failed.cause, id) from failed

    async def start_alone(
        self,
        run: MethodAsyncSingleParam[W, S, Any],
        argument: S,
        *,
        id: str,
        kind: str,
        static_summary: str,
        task_queue: str = TASK_QUEUE,
    ) -> None:
        """Start the workflow of this id, and wait for nothing of it.

        Raises:
            Conflict: it runs already.
        """
        async with self._contact(id) as temporal:
            try:
                await temporal.start_workflow(
                    run,
                    argument,
                    id=id,
                    task_queue=task_queue,
                    id_conflict_policy=_ALONE,
                    rpc_timeout=_PATIENCE,
                    static_summary=static_summary,
                    priority=Priority(fairness_key=self._tenant_id),
                    search_attributes=visibility.attributes(
                        tenant_id=self._tenant_id, campaign_id="", kind=kind, status="running"
                    ),
                )
            except WorkflowAlreadyStartedError as error:
                raise Conflict("It is under way already.") from error

    async def signal(self, workflow_id: str, signal: str, argument: object) -> None:
        """Tell a running workflow something; `WorkflowGone` when none runs under the id."""
        async with self._contact(workflow_id) as temporal:
            handle = temporal.get_workflow_handle(workflow_id)
            await handle.signal(signal, argument, rpc_timeout=_PATIENCE)

    @asynccontextmanager
    async def _contact(
        self, workflow_id: str, retry_after: int = _RETRY_AFTER_S
    ) -> AsyncIterator[Client]:
        try:
            yield await self._temporal.client()
        except WorkflowUpdateFailedError as error:
            raise _refusal(error.cause, workflow_id) from error
        except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
            detail = "No worker took the command in time; send it again with the same key."
            raise Unavailable(detail, retry_after=retry_after) from error
        except WorkflowAlreadyStartedError as error:
            raise Conflict("This has been done before and has ended.") from error
        except RPCError as error:
            raise _rpc_failure(error, workflow_id) from error
        except RuntimeError as error:
            # What the SDK raises when its first connection fails.
            _log.warning("temporal.unreachable", error=str(error))
            raise Unavailable("Temporal does not answer.", retry_after=_RETRY_AFTER_S) from error


def _refusal(cause: BaseException | None, workflow_id: str) -> Exception:
    if not isinstance(cause, ApplicationError):
        _log.error("command.failed", workflow_id=workflow_id, cause=repr(cause))
        return Unavailable("The command failed; it may be sent again.", retry_after=_RETRY_AFTER_S)
    if cause.type in BY_CODE:
        details = cause.details[0] if cause.details else {}
        return from_details(cause.type, cause.message, details)
    if cause.type == "AcceptedUpdateCompletedWorkflow":
        return WorkflowGone(workflow_id)
    _log.error("command.failed", workflow_id=workflow_id, cause=repr(cause))
    return Unavailable("The command failed; it may be sent again.", retry_after=_RETRY_AFTER_S)


def _rpc_failure(error: RPCError, workflow_id: str) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return WorkflowGone(workflow_id)
    _log.warning("temporal.failed", status=error.status.name, workflow_id=workflow_id)
    return Unavailable("Temporal does not answer.", retry_after=_RETRY_AFTER_S)


async def _desk(request: Request) -> Desk:
    return Desk(services_of(request).temporal, caller(request).tenant_id)


Commands = Annotated[Desk, Depends(_desk)]
