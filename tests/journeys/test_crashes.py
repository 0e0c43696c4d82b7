"""Real processes, killed where it hurts: the work goes on, and nothing is lost or paid twice."""

import asyncio
from collections import Counter

import pytest

from tests.journeys.conftest import Journey

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

AUDIT = {"type": "website_audit", "quantity": 1}
POST = {"type": "social_post", "quantity": 1}


async def test_a_turn_cut_off_by_a_kill_is_booked_and_only_that_turn_is_asked_again(
    journey: Journey,
) -> None:
    await journey.work(AUDIT)
    activity_id = await journey.streaming("research")
    journey.stack.kill("worker-1")
    record = await journey.all_done()
    (cut,) = [turn for turn in record.turns if turn.status == "cut_off"]
    assert (cut.activity_id, cut.output_tokens > 0, cut.cost_usd > 0) == (activity_id, True, True)
    ours = {answer.blocks[0]["text"][1:13] for answer in record.answers}
    asked = Counter(call.digest[:12] for call in journey.model.calls)
    assert sorted(asked[mark] for mark in ours) == [1, 1, 2]


async def test_an_approval_holds_though_the_worker_is_killed_the_moment_after(
    journey: Journey,
) -> None:
    await journey.work(POST)
    approval_id = await journey.pending()
    await journey.agency.approve(approval_id)
    journey.stack.kill("worker-1")
    record = await journey.all_done()
    assert [(row.id, row.status) for row in record.approvals] == [(approval_id, "approved")]


async def test_temporal_is_killed_and_goes_on_from_its_file(journey: Journey) -> None:
    await journey.work(AUDIT)
    await journey.streaming("research")
    journey.stack.kill("temporal")
    await journey.all_done()


async def test_postgresql_stands_still_for_some_seconds(journey: Journey) -> None:
    await journey.work(AUDIT)
    await journey.streaming("research")
    await asyncio.to_thread(journey.stack.freeze, "postgres", 4)
    await journey.all_done()


async def test_postgresql_is_killed_in_the_middle_of_a_turn(journey: Journey) -> None:
    await journey.work(AUDIT)
    await journey.streaming("research")
    journey.stack.kill("postgres")
    await journey.all_done()


async def test_a_worker_that_is_told_to_stop_finishes_its_turn(journey: Journey) -> None:
    await journey.work(AUDIT)
    await journey.streaming("research")
    before = journey.stack.record.children["worker-1"]
    journey.stack.process("worker-1").terminate()
    record = await journey.all_done()
    assert journey.stack.is_replaced("worker-1", before)
    assert {(turn.attempt, turn.status) for turn in record.turns} == {(1, "settled")}


async def test_one_campaign_comes_of_two_requests_with_one_key_and_no_worker(
    journey: Journey,
) -> None:
    journey.stack.kill("worker-1")
    agency = journey.agency
    await asyncio.gather(*(agency.submit(1, AUDIT, key="launch-1") for _ in range(2)))
    record = await journey.all_done()
    assert [row.id for row in record.campaigns] == list(agency.submitted)


async def test_everything_is_killed_and_the_next_start_goes_on(journey: Journey) -> None:
    await journey.work(AUDIT, POST)
    await journey.streaming("research")
    journey.stack.kill_everything()
    await asyncio.to_thread(journey.stack.start)
    approval_id = await journey.pending()
    await journey.agency.approve(approval_id)
    await journey.all_done()
