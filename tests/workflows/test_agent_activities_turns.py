"""Within a run: notes from people, answers cut at the token limit, places of an agent."""

from typing import Any

from activities.ports import StopReason
from tests.workflows.scripted_llm import Gate, Reply, say, tool, use
from tests.workflows.studio import REPORT, Studio

REPORTING = "performance_report"
LOOK = Reply(tools=(tool("read_activity_output", activityId="?"),))


async def test_a_note_reaches_the_running_agent_at_its_next_turn(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(REPORTING, use("read_activity_output", gate=gate, activityId="?"), LOOK)
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    report = await studio.activity(campaign_id, REPORTING, "in_progress")
    await studio.note(report.id, "No puns, please.")
    gate.open()
    await studio.activity(campaign_id, REPORTING, "done")
    _, second, third = studio.llm.of(REPORTING)
    assert "No puns, please." in second.said_last
    assert third.transcript.count("No puns, please.") == 1


async def test_an_answer_cut_at_the_token_limit_is_put_together(studio: Studio) -> None:
    cut = say("First half, ", stop=StopReason.MAX_TOKENS)
    studio.llm.on(REPORTING, cut, say("second half."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert await studio.output(done.id) == "First half, second half."


async def test_a_note_in_the_middle_of_an_answer_does_not_cost_its_beginning(
    studio: Studio,
) -> None:
    gate = Gate()
    cut = say("First half, ", stop=StopReason.MAX_TOKENS, gate=gate)
    studio.llm.on(REPORTING, cut, say("second half."))
    campaign_id = await studio.submit((REPORT, 1))
    await gate.reached.wait()
    report = await studio.activity(campaign_id, REPORTING, "in_progress")
    await studio.note(report.id, "Be brief.")
    gate.open()
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert await studio.output(done.id) == "First half, second half."


async def test_words_beside_a_tool_call_are_not_the_output(studio: Studio) -> None:
    look = use("read_activity_output", "Let me look.", activityId="?")
    studio.llm.on(REPORTING, look, say("The report."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert await studio.output(done.id) == "The report."


async def test_a_run_costs_the_sum_of_its_turns(studio: Studio) -> None:
    studio.llm.on(REPORTING, LOOK, LOOK, say("The report."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    (run,) = await studio.runs(done.id)
    (ledger,) = await studio.rows(
        "select count(*) as turns, sum(cost_usd) as cost from ledger_entry where run_id = :id",
        id=run.id,
    )
    assert (ledger.turns, ledger.cost) == (3, run.cost_usd)
    assert done.spent_usd == run.cost_usd


async def test_an_agent_works_on_no_more_at_once_than_it_has_places(studio: Studio) -> None:
    await studio.configure("copywriter", concurrency=2)
    gates = [Gate() for _ in range(4)]
    studio.llm.on(REPORTING, *[say("Done.", gate=gate) for gate in gates])
    campaign_id = await studio.submit((REPORT, 4))
    await gates[1].reached.wait()
    await studio.until("select 1 from agent_slot offset 3")
    assert not gates[2].reached.is_set()
    gates[0].open()
    await gates[2].reached.wait()
    assert not gates[3].reached.is_set()
    for gate in gates:
        gate.open()
    await studio.until(
        "select 1 from agent_activity where campaign_id = :id and type = :kind"
        " and status = 'done' offset 3",
        id=campaign_id,
        kind=REPORTING,
    )


async def test_places_are_given_in_the_order_of_asking(studio: Studio) -> None:
    await studio.configure("copywriter", concurrency=1)
    gate = Gate()
    studio.llm.on(REPORTING, say("Done.", gate=gate))
    await studio.submit((REPORT, 4))
    await gate.reached.wait()
    await studio.until("select 1 from agent_slot offset 3")
    queue = await studio.rows(
        "select a.title from agent_slot s join agent_activity a on a.id = s.activity_id"
        " order by s.held_since nulls last, s.queued_on, s.activity_id"
    )
    gate.open()
    await studio.until(
        "select 1 from agent_activity where type = :kind and status = 'done' offset 3",
        kind=REPORTING,
    )
    assert [one.title for one in studio.llm.of(REPORTING)] == [row.title for row in queue]


async def test_what_waits_for_a_place_is_still_assigned(studio: Studio) -> None:
    await studio.configure("copywriter", concurrency=1)
    gate = Gate()
    studio.llm.on(REPORTING, say("Done.", gate=gate))
    campaign_id = await studio.submit((REPORT, 2))
    await gate.reached.wait()
    waiting = await studio.activity(campaign_id, REPORTING, "assigned")
    assert await studio.kinds(waiting.id) == []
    gate.open()
    await studio.until(
        "select 1 from agent_activity where id = :id and status = 'done'", id=waiting.id
    )


async def test_an_open_question_takes_no_place(studio: Studio) -> None:
    await studio.configure("copywriter", concurrency=1)
    question: dict[str, Any] = {"type": "content_direction", "riskLevel": "low", "title": "Tea?"}
    studio.llm.on(REPORTING, use("request_approval", **question))
    campaign_id = await studio.submit((REPORT, 2))
    await studio.activity(campaign_id, REPORTING, "awaiting_approval")
    await studio.activity(campaign_id, REPORTING, "done")
