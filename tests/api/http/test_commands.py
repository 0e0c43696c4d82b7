"""Commands: what a workflow refuses, what it answers, and what silence means."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.http import commands
from api.http.commands import Desk, WorkflowGone
from api.http.services import Temporal
from models.errors import Conflict, ProblemItem, Unavailable, Unprocessable
from models.ids import new_id
from models.settings import Settings
from workflows.renewal import renewed

NAME = ProblemItem(location="body.name", message="no")


@dataclass(frozen=True)
class Order:
    name: str


@workflow.defn(name="probe-tally")
class Tally:
    """Counts its orders until it is told to stop."""

    def __init__(self) -> None:
        self._count = 0
        self._done = False
        self._renewing = False

    @workflow.run
    async def run(self, start: Order) -> int:
        await workflow.wait_condition(lambda: self._done or self._renewing)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._renewing:
            workflow.continue_as_new(Order("once more"))
        return self._count

    @workflow.update
    async def add(self, order: Order) -> int:
        if order.name == "refused":
            raise Conflict(
                "Not now.", ProblemItem(location="body.name", message="no"), retry_after=3
            )
        if order.name == "stop":
            self._done = True
        if order.name == "slow":
            await workflow.wait_condition(lambda: self._done)
        if order.name == "renewed" and workflow.info().continued_run_id is None:
            self._renewing = True
            raise renewed()
        self._count += 1
        return self._count

    @add.validator
    def check(self, order: Order) -> None:
        if order.name == "invalid":
            raise Unprocessable("Never.")

    @workflow.signal
    async def stop(self, _: Order) -> None:
        self._done = True


@pytest.fixture
def queue() -> str:
    return f"probe-{new_id()}"


@pytest.fixture
async def worker(temporal: Client, queue: str) -> AsyncIterator[None]:
    async with Worker(
        temporal, task_queue=queue, workflows=[Tally], workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=10,
    ):  # fmt: skip
        yield


@pytest.fixture
def desk(temporal: Client) -> Desk:
    return Desk(Temporal(Settings(), temporal), "tenant")


async def add(desk: Desk, queue: str, id: str, name: str, **options: object) -> int:
    return await desk.update_with_start(
        Tally.run, Order("start"), Tally.add, Order(name),
        id=id, kind="tally", campaign_id="c", status="active", task_queue=queue,
        static_summary="A tally", **options,  # type: ignore[arg-type]
    )  # fmt: skip


async def test_the_first_update_starts_and_the_next_finds(worker: None, desk: Desk, queue: str):
    id = new_id()
    assert [await add(desk, queue, id, "tea") for _ in range(2)] == [1, 2]


async def test_the_same_update_id_is_one_update(worker: None, desk: Desk, queue: str):
    id = new_id()
    assert [await add(desk, queue, id, "tea", update_id="u") for _ in range(2)] == [1, 1]


async def test_a_workflow_is_found_by_its_attributes(
    worker: None, desk: Desk, queue: str, temporal: Client
):
    id = new_id()
    await add(desk, queue, id, "tea")
    found = await temporal.get_workflow_handle(id).describe()
    attributes = {pair.key.name: pair.value for pair in found.typed_search_attributes}
    expected = {"TenantId": "tenant", "CampaignId": "c", "Kind": "tally", "State": "active"}
    assert expected.items() <= attributes.items()


@pytest.mark.parametrize(
    ("name", "kind", "detail"),
    [("invalid", Unprocessable, "Never."), ("refused", Conflict, "Not now.")],
)
async def test_a_refusal_comes_back_as_it_was_raised(
    worker: None, desk: Desk, queue: str, name: str, kind: type[Exception], detail: str
):
    with pytest.raises(kind, match=detail):
        await add(desk, queue, new_id(), name)


async def test_a_refusal_keeps_its_items(worker: None, desk: Desk, queue: str):
    with pytest.raises(Conflict) as refused:
        await add(desk, queue, new_id(), "refused")
    assert refused.value.items == (NAME,)
    assert refused.value.retry_after == 3


async def test_what_does_not_run_is_gone(worker: None, desk: Desk, queue: str):
    with pytest.raises(WorkflowGone):
        await desk.update(new_id(), Tally.add, Order("tea"))
    with pytest.raises(WorkflowGone):
        await desk.signal(new_id(), "stop", Order("tea"))


async def test_what_has_ended_is_gone(worker: None, desk: Desk, queue: str, temporal: Client):
    id = new_id()
    await add(desk, queue, id, "tea")
    await desk.signal(id, "stop", Order("x"))
    await temporal.get_workflow_handle(id).result()
    with pytest.raises(WorkflowGone):
        await desk.update(id, Tally.add, Order("tea"))


async def test_what_has_ended_may_be_kept_from_starting_again(
    worker: None, desk: Desk, queue: str, temporal: Client
):
    id = new_id()
    await add(desk, queue, id, "stop")
    await temporal.get_workflow_handle(id).result()
    with pytest.raises(Conflict):
        await add(desk, queue, id, "tea", id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE)


async def test_who_only_tells_is_through_when_it_is_accepted(
    worker: None, desk: Desk, queue: str, temporal: Client
):
    id = new_id()
    async with asyncio.timeout(5):
        await desk.tell_with_start(
            Tally.run, Order("start"), Tally.add, Order("slow"), id=id, kind="tally",
            task_queue=queue,
        )  # fmt: skip
    await desk.signal(id, "stop", Order("x"))
    assert await temporal.get_workflow_handle(id).result() == 1


async def test_patience_ends_also_when_the_update_has_been_accepted(
    worker: None, desk: Desk, queue: str, temporal: Client
):
    id = new_id()
    with pytest.raises(Unavailable) as late:
        await add(desk, queue, id, "slow", patience=timedelta(seconds=1), retry_after=10)
    assert late.value.retry_after == 10
    await desk.signal(id, "stop", Order("x"))
    assert await temporal.get_workflow_handle(id).result() == 1


async def test_who_must_start_is_refused_by_what_runs_and_is_not_heard(
    worker: None, desk: Desk, queue: str, temporal: Client
):
    id = new_id()
    assert await add(desk, queue, id, "tea", must_start=True) == 1
    with pytest.raises(Conflict):
        await add(desk, queue, id, "tea", must_start=True)
    await desk.signal(id, "stop", Order("x"))
    assert await temporal.get_workflow_handle(id).result() == 1
    assert await add(desk, queue, id, "tea", must_start=True) == 1


async def test_what_runs_alone_is_started_once_until_it_has_ended(
    worker: None, desk: Desk, queue: str, temporal: Client
):
    id = new_id()

    async def start() -> None:
        await desk.start_alone(
            Tally.run, Order("start"), id=id, kind="tally", static_summary="A tally",
            task_queue=queue,
        )  # fmt: skip

    await start()
    with pytest.raises(Conflict, match="under way"):
        await start()
    await desk.signal(id, "stop", Order("x"))
    await temporal.get_workflow_handle(id).result()
    await start()


async def test_an_update_follows_its_workflow_into_the_next_run(
    worker: None, desk: Desk, queue: str, temporal: Client
):
    id = new_id()
    assert await add(desk, queue, id, "renewed") == 1
    await desk.signal(id, "stop", Order("x"))
    assert await temporal.get_workflow_handle(id).result() == 1


async def test_without_a_worker_the_answer_is_unavailable(
    desk: Desk, queue: str, temporal: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(commands, "_PATIENCE", timedelta(seconds=1))
    id = new_id()
    with pytest.raises(Unavailable) as late:
        await add(desk, queue, id, "tea")
    assert late.value.retry_after
    await temporal.get_workflow_handle(id).terminate()


async def test_without_a_server_the_answer_is_unavailable_and_quick():
    desk = Desk(Temporal(Settings(temporal_address="127.0.0.1:1")), "tenant")
    for _ in range(2):
        with pytest.raises(Unavailable) as away:
            async with asyncio.timeout(20):
                await desk.signal("x", "stop", Order("x"))
        assert away.value.retry_after
