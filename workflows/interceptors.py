"""Where a `DomainError` becomes what Temporal understands: a failure that no retry will change."""

from typing import Any, NoReturn

from temporalio import client, worker
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from models.errors import BY_CODE, DomainError


def as_application_error(error: DomainError) -> ApplicationError:
    """The form in which a refusal crosses Temporal; `models.errors.from_details` reads it back."""
    return ApplicationError(error.detail, error.details(), type=error.code, non_retryable=True)


def refusal_within(error: BaseException | None) -> ApplicationError | None:
    """The refusal behind a failed step or child workflow, or nothing when it was an accident."""
    while isinstance(error, ActivityError | ChildWorkflowError):
        error = error.cause
    if isinstance(error, ApplicationError) and error.type in BY_CODE:
        return error
    return None


def _translate(error: BaseException) -> NoReturn:
    if isinstance(error, DomainError):
        raise as_application_error(error).with_traceback(error.__traceback__) from None
    refusal = refusal_within(error)
    if refusal is None or refusal is error:
        raise error
    # A caller of an update wants the step's own code, not "Activity task failed".
    raise ApplicationError(
        refusal.message, *refusal.details, type=refusal.type, non_retryable=True
    ) from error


class _StepInbound(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except DomainError as error:
            _translate(error)


class _WorkflowInbound(worker.WorkflowInboundInterceptor):
    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
        try:
            return await super().execute_workflow(input)
        except (DomainError, ActivityError, ChildWorkflowError) as error:
            _translate(error)

    def handle_update_validator(self, input: worker.HandleUpdateInput) -> None:
        try:
            super().handle_update_validator(input)
        except DomainError as error:
            _translate(error)

    async def handle_update_handler(self, input: worker.HandleUpdateInput) -> Any:
        try:
            return await super().handle_update_handler(input)
        except (DomainError, ActivityError, ChildWorkflowError) as error:
            _translate(error)

    async def handle_query(self, input: worker.HandleQueryInput) -> Any:
        try:
            return await super().handle_query(input)
        except DomainError as error:
            _translate(error)


class DomainErrors(client.Interceptor, worker.Interceptor):
    """Set on the client, whose workers then carry it too: one registration serves both sides."""

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        return _StepInbound(next)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        return _WorkflowInbound
