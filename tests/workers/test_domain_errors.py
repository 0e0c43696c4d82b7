"""Refusals keep their code on the way through Temporal, whoever raised them."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.errors import Conflict, Invalid, NotFound, ProblemItem, from_details

attempts: list[str] = []


@activity.defn(name="test.refuse")
async def refuse(reason: str) -> None:
    attempts.append(reason)
    raise Conflict(reason, ProblemItem(location="body.status", message="taken", value=reason))


@workflow.defn(name="test.refusing")
class Refusing:
    def __init__(self) -> None:
        self._over = False

    @workflow.run
    async def run(self, how: str) -> None:
        if how == "at once":
            raise NotFound("nothing here", retry_after=3)
        if how == "in a step":
            await self._step()
        await workflow.wait_condition(lambda: self._over)

    @workflow.signal
    def end(self) -> None:
        self._over = True

    @workflow.update
    async def change(self, how: str) -> None:
        if how == "in a step":
            await self._step()
        raise Conflict("already resolved")

    @change.validator
    def check_change(self, how: str) -> None:
        if how == "refused":
            raise Invalid("no such change")

    async def _step(self) -> None:
        await workflow.execute_activity(
            refuse, workflow.info().workflow_id, start_to_close_timeout=timedelta(seconds=5)
        )


Start = Callable[[str], Awaitable[WorkflowHandle]]


@pytest.fixture
async def start(temporal: Client):
    queue = f"test-{uuid.uuid4()}"
    worker = Worker(
        temporal,
        task_queue=queue,
        workflows=[Refusing],
        activities=[refuse],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )

    async def starting(how: str) -> WorkflowHandle:
        return await temporal.start_workflow(
            Refusing.run,
            how,
            id=str(uuid.uuid4()),
            task_queue=queue,
            execution_timeout=timedelta(seconds=30),
        )

    async with worker:
        yield starting


async def result_error(handle: WorkflowHandle) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def update_error(handle: WorkflowHandle, how: str) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await handle.execute_update(Refusing.change, how)
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def test_a_refusal_in_a_workflow_ends_it_with_its_code(start: Start):
    error = await result_error(await start("at once"))
    assert (error.type, error.message, error.non_retryable) == ("NOT_FOUND", "nothing here", True)
    assert from_details("NOT_FOUND", error.message, error.details[0]).retry_after == 3


async def test_a_refusal_in_a_step_is_tried_once_and_keeps_its_fields(start: Start):
    handle = await start("in a step")
    error = await result_error(handle)
    rebuilt = from_details(str(error.type), error.message, error.details[0])
    assert isinstance(rebuilt, Conflict)
    assert rebuilt.items == (ProblemItem(location="body.status", message="taken", value=handle.id),)
    assert attempts.count(handle.id) == 1


@pytest.mark.parametrize(
    ("how", "code"),
    [("refused", "VALIDATION_ERROR"), ("", "CONFLICT"), ("in a step", "CONFLICT")],
)
async def test_an_update_answers_with_the_code_and_the_workflow_goes_on(
    start: Start, how: str, code: str
):
    handle = await start("")
    error = await update_error(handle, how)
    assert error.type == code
    await handle.signal(Refusing.end)
    await asyncio.wait_for(handle.result(), 10)
