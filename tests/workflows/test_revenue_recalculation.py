"""A tenant's recalculation: one at a time, shared by its callers, and answered whatever happens."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus

from models.contracts.revenue import Pace, Recalculated
from models.errors import Invalid, Unavailable
from tests.workflows.recalculation import Bookkeeper
from workflows.people.revenue_recalculation import IMPORTS_AT_ONCE
from workflows.visibility import KIND, STATE, TENANT

ALL = Recalculated(updated=12, tier_changes=4)


@pytest.fixture
async def keeper(temporal: Client) -> AsyncIterator[Bookkeeper]:
    async with Bookkeeper.at_work(temporal) as keeper:
        yield keeper


async def test_whoever_asks_gets_the_result_and_the_workflow_ends(keeper: Bookkeeper) -> None:
    assert await keeper.ask() == ALL
    assert await keeper.handle.result() == "nobody is waiting"
    assert keeper.ledger.scopes == [None]


async def test_two_at_once_are_one_run_with_one_result(keeper: Bookkeeper) -> None:
    keeper.ledger.hold()
    asked = [asyncio.create_task(keeper.ask()) for _ in range(5)]
    await keeper.ledger.reached.wait()
    asked += [asyncio.create_task(keeper.ask()) for _ in range(3)]
    await asyncio.sleep(0.3)
    keeper.ledger.go_on()
    assert await asyncio.gather(*asked) == [ALL] * 8
    await keeper.handle.result()
    assert (keeper.ledger.scopes, len(keeper.ledger.rescored)) == ([None], 1)


async def test_what_ended_begins_anew(keeper: Bookkeeper) -> None:
    assert await keeper.ask() == ALL
    assert await keeper.ask() == ALL
    assert keeper.ledger.scopes == [None, None]


async def test_scopes_are_worked_one_at_a_time_in_their_order(keeper: Bookkeeper) -> None:
    keeper.ledger.hold()
    first = asyncio.create_task(keeper.ask("c001"))
    await keeper.ledger.reached.wait()
    await keeper.tell("c002", "c003")
    await keeper.tell("c003", "c002")
    await keeper.tell("c001")
    rest = asyncio.create_task(keeper.ask())
    await asyncio.sleep(0.3)
    assert keeper.ledger.scopes == [("c001",)]
    keeper.ledger.go_on()
    assert await first == Recalculated(updated=1)
    assert await rest == ALL
    # What waits is shared; what is under way may have passed what has changed since.
    assert keeper.ledger.scopes == [("c001",), ("c002", "c003"), ("c001",), None]


async def test_who_does_not_wait_is_through_when_it_is_accepted(keeper: Bookkeeper) -> None:
    keeper.ledger.hold()
    async with asyncio.timeout(5):
        await keeper.tell()
    status = (await keeper.handle.describe()).status
    assert status is WorkflowExecutionStatus.RUNNING
    keeper.ledger.go_on()
    assert await keeper.handle.result() == "nobody is waiting"


async def test_a_repeat_meets_the_run_that_goes_on(keeper: Bookkeeper) -> None:
    keeper.ledger.hold()
    with pytest.raises(Unavailable) as late:
        await keeper.ask(patience=0.5)
    assert late.value.retry_after == 10
    repeat = asyncio.create_task(keeper.ask())
    await asyncio.sleep(0.3)
    keeper.ledger.go_on()
    assert await repeat == ALL
    await keeper.handle.result()
    assert keeper.ledger.scopes == [None]


async def test_a_repeat_after_the_end_gets_the_result_that_was_missed_once(
    keeper: Bookkeeper,
) -> None:
    keeper.ledger.hold()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await keeper.ask(patience=0.5)
    keeper.ledger.go_on()
    while not keeper.ledger.rescored:
        await asyncio.sleep(0.05)
    assert await keeper.ask() == ALL
    assert keeper.ledger.scopes == [None]
    assert await keeper.ask() == ALL
    assert keeper.ledger.scopes == [None, None]
    assert await keeper.handle.result() == "nobody is waiting"


async def test_who_does_not_wait_is_not_fobbed_off_with_an_old_result(keeper: Bookkeeper) -> None:
    keeper.ledger.hold()
    with pytest.raises(Unavailable):
        await keeper.ask(patience=0.5)
    keeper.ledger.go_on()
    while not keeper.ledger.rescored:
        await asyncio.sleep(0.05)
    await keeper.tell()
    assert await keeper.ask() == ALL
    assert keeper.ledger.scopes == [None, None]


async def test_a_worker_less_wait_is_unavailable_and_the_run_is_there_later(
    temporal: Client,
) -> None:
    keeper = Bookkeeper(temporal)
    with pytest.raises(Unavailable) as late:
        await keeper.ask(patience=-4)
    assert late.value.retry_after == 10
    async with keeper.worker():
        assert await keeper.ask() == ALL
    assert keeper.ledger.scopes == [None]


async def test_callers_are_answered_across_runs_that_continue_as_new(temporal: Client) -> None:
    pace = Pace(clients=2, batches=1, steps=2)
    async with Bookkeeper.at_work(temporal, pace) as keeper:
        keeper.ledger.hold()
        asked = [asyncio.create_task(keeper.ask()) for _ in range(3)]
        await keeper.ledger.reached.wait()
        asked.append(asyncio.create_task(keeper.ask("c001", "c002", "c003")))
        await asyncio.sleep(0.3)
        await keeper.tell("c004")
        keeper.ledger.go_on()
        some = Recalculated(updated=3, tier_changes=1)
        assert await asyncio.gather(*asked) == [ALL, ALL, ALL, some]
        assert await keeper.handle.result() == "nobody is waiting"
        assert keeper.ledger.scopes == [None, ("c001", "c002", "c003"), ("c004",)]
        assert len({order.once for order in keeper.ledger.rescored}) == 3
        assert await keeper.runs() > 3


async def test_a_caller_who_comes_in_the_moment_of_the_renewal_is_answered(
    temporal: Client,
) -> None:
    pace = Pace(clients=1, batches=1, steps=1)
    async with Bookkeeper.at_work(temporal, pace) as keeper:
        asked = []
        for _ in range(12):
            asked.append(asyncio.create_task(keeper.ask()))
            await asyncio.sleep(0.03)
        results = await asyncio.gather(*asked)
        assert set(results) == {ALL}
        await keeper.handle.result()


async def test_a_caller_in_the_moment_of_the_end_is_answered(keeper: Bookkeeper) -> None:
    for number in range(12):
        first = asyncio.create_task(keeper.ask())
        await asyncio.sleep(number * 0.01)
        assert (await keeper.ask(), await first) == (ALL, ALL)


async def test_billing_is_imported_before_its_companies_are_scored(temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal, Pace(links=3)) as keeper:
        keeper.ledger.linked = ("c002", "c004", "c005", "c009")
        assert await keeper.ask() == ALL
        assert keeper.ledger.imports == {"c002": 1, "c004": 1, "c005": 1, "c009": 1}
        parts = [(order.after, order.until) for order in keeper.ledger.rescored]
        assert parts == [("", "c005"), ("c005", None)]


async def test_a_company_whose_import_fails_thrice_is_left_and_the_run_goes_on(
    keeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.ledger.linked = ("c002", "c004")
    keeper.ledger.unreachable = ("c004",)
    assert await keeper.ask() == Recalculated(updated=11, tier_changes=4, left_out=1)
    assert keeper.ledger.imports == {"c002": 1, "c004": 3}
    (order,) = keeper.ledger.rescored
    assert order.without == ("c004",)


async def test_imports_of_a_tenant_are_few_at_a_time(keeper: Bookkeeper) -> None:
    keeper.ledger.linked = tuple(f"c{number:03}" for number in range(1, 13))
    await keeper.ask()
    assert keeper.ledger.most_importing <= IMPORTS_AT_ONCE
    assert sum(keeper.ledger.imports.values()) == 12


async def test_an_operator_reads_how_far_it_is(temporal: Client) -> None:
    async with Bookkeeper.at_work(temporal, Pace(clients=3, batches=2)) as keeper:
        keeper.ledger.linked, keeper.ledger.unreachable = ("c012",), ("c012",)
        asked = asyncio.create_task(keeper.ask())
        while len(keeper.ledger.rescored) < 1:
            await asyncio.sleep(0.02)
        keeper.ledger.hold()
        await keeper.ledger.reached.wait()
        told = await keeper.handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata
        )
        assert told.current_details.startswith("Recalculating revenue of Aster: ")
        if keeper.ledger.held is not None:
            keeper.ledger.go_on()
        await asked
        seen = await keeper.handle.describe()
        attributes = seen.typed_search_attributes
        assert (attributes[TENANT], attributes[KIND]) == (keeper.tenant_id, "revenue-recalculation")
        assert attributes[STATE] == "recalculated"
        told = await keeper.handle.query(
            "__temporal_workflow_metadata", result_type=WorkflowMetadata
        )
        assert told.current_details == (
            "Recalculated revenue of Aster: 11 of 12 clients, 11 updated, 3 tiers changed, "
            "1 left as they were, since their billing could not be imported"
        )


async def test_a_scope_of_no_companies_is_refused(keeper: Bookkeeper) -> None:
    with pytest.raises(Invalid):
        await keeper.ask(*(f"x{number}" for number in range(1001)))
