"""Runs that go wrong: what is tried again by itself, what an admin retries, what is final."""

from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RetryPolicy

from activities.ports import StopReason
from tests.workflows.scripted_llm import Gate, Reply, busy, refused, say, tool, use
from tests.workflows.studio import BLOG, REPORT, Studio
from workflows import policies

REPORTING = "performance_report"


async def failed(studio: Studio) -> str:
    """A report that failed for good; its id."""
    studio.llm.on(REPORTING, *[refused()] * 3)
    campaign_id = await studio.submit((REPORT, 1))
    return str((await studio.activity(campaign_id, REPORTING, "failed")).id)


async def test_an_activity_fails_after_three_runs(studio: Studio) -> None:
    report_id = await failed(studio)
    runs = await studio.runs(report_id)
    assert [(run.number, run.status, run.error) for run in runs] == [
        (number, "failed", "model_error") for number in (1, 2, 3)
    ]
    assert (await studio.one(report_id)).auto_retries == 2


async def test_automatic_retries_are_silent_but_for_the_end(studio: Studio) -> None:
    report_id = await failed(studio)
    assert await studio.events(about=report_id) == [
        (
            "activity_started",
            {"activityId": report_id, "title": "The performance_report", "agentRole": "copywriter"},
        ),
        (
            "activity_failed",
            {"activityId": report_id, "error": "model_error", "retryCount": 2},
        ),
    ]


async def test_a_retry_that_goes_well_ends_the_matter(studio: Studio) -> None:
    studio.llm.on(REPORTING, refused(), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "auto_retry"
    assert await studio.kinds(done.id) == ["activity_started", "activity_completed"]


async def test_an_admins_retry_starts_the_count_anew(studio: Studio) -> None:
    report_id = await failed(studio)
    studio.llm.on(REPORTING, *[refused()] * 3)
    await studio.try_again(report_id)
    await studio.until("select 1 from agent_run where activity_id = :id offset 5", id=report_id)
    again = await studio.until(
        "select * from agent_activity where id = :id and status = 'failed'", id=report_id
    )
    assert again.auto_retries == 2
    assert await studio.kinds(report_id) == ["activity_started", "activity_failed"] * 2


async def test_an_admins_retry_names_the_run_to_come(studio: Studio) -> None:
    report_id = await failed(studio)
    run_id = await studio.try_again(report_id)
    done = await studio.until(
        "select * from agent_activity where id = :id and status = 'done'", id=report_id
    )
    assert done.wake_reason == "manual_retry"
    assert (await studio.runs(report_id))[-1].id == run_id


async def test_only_what_has_failed_is_retried(studio: Studio) -> None:
    campaign_id = await studio.submit((BLOG, 1))
    post = await studio.activity(campaign_id, "blog_post", "awaiting_approval")
    await studio.pending_approval(campaign_id)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await studio.try_again(post.id)
    assert getattr(error.value.cause, "type", None) == "UNPROCESSABLE"


async def test_nothing_is_retried_in_a_paused_campaign(studio: Studio) -> None:
    report_id = await failed(studio)
    await studio.pause((await studio.one(report_id)).campaign_id)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await studio.try_again(report_id)
    assert getattr(error.value.cause, "type", None) == "UNPROCESSABLE"
    assert (await studio.one(report_id)).status == "failed"


async def test_a_limit_on_cost_is_not_tried_again(studio: Studio) -> None:
    await studio.configure("copywriter", max_cost_usd=Decimal("0.001"))
    campaign_id = await studio.submit((REPORT, 1))
    report = await studio.activity(campaign_id, REPORTING, "failed")
    assert (report.last_error, report.auto_retries) == ("cost_limit_exceeded", 0)
    assert studio.llm.of(REPORTING) == []
    assert await studio.kinds(report.id) == ["activity_started", "activity_failed"]


async def test_a_run_that_takes_too_long_times_out(studio: Studio) -> None:
    await studio.configure("copywriter", timeout_sec=1)
    studio.llm.on(REPORTING, say("Let me", gate=Gate()), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    first, second = await studio.runs(done.id)
    assert (first.status, first.error) == ("timeout", "timeout")
    assert second.status == "completed"


async def test_what_a_timed_out_turn_had_used_is_booked(studio: Studio) -> None:
    await studio.configure("copywriter", timeout_sec=1)
    studio.llm.on(REPORTING, say("Let me", gate=Gate()), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    (cut,) = await studio.rows(
        "select * from llm_turn where activity_id = :id and status = 'cut_off'", id=done.id
    )
    assert cut.cost_usd > 0
    assert done.spent_usd == cut.cost_usd + Decimal("0.004")


async def test_an_overloaded_vendor_is_asked_again_within_the_run(studio: Studio) -> None:
    studio.llm.on(REPORTING, busy(), busy(), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    (run,) = await studio.runs(done.id)
    turns = await studio.rows(
        "select number, status from llm_turn where run_id = :id order by attempt", id=run.id
    )
    assert [(turn.number, turn.status) for turn in turns] == [
        (1, "cut_off"),
        (1, "cut_off"),
        (1, "settled"),
    ]


async def test_a_stream_that_breaks_off_is_begun_again(studio: Studio) -> None:
    studio.llm.on(REPORTING, busy(text="Half a"), say("A whole report."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert await studio.output(done.id) == "A whole report."
    logged = await studio.rows(
        "select kind from run_event where activity_id = :id order by seq", id=done.id
    )
    assert [row.kind for row in logged] == ["text_delta", "turn_reset", "text_delta", "completed"]


async def test_a_vendor_that_stays_away_fails_the_run(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=2)
    monkeypatch.setattr(policies, "LLM_RETRIES", quick)
    studio.llm.always(REPORTING, busy())
    campaign_id = await studio.submit((REPORT, 1))
    report = await studio.activity(campaign_id, REPORTING, "failed")
    assert report.last_error == "model_error"
    assert len(studio.llm.of(REPORTING)) == 6


async def test_an_answer_without_a_word_is_an_error(studio: Studio) -> None:
    studio.llm.on(REPORTING, Reply(), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    first, _ = await studio.runs(done.id)
    assert (first.status, first.error) == ("failed", "model_error")


async def test_a_model_that_loops_is_stopped_and_begins_anew(studio: Studio) -> None:
    await studio.configure("copywriter", max_turns=2)
    look = use("read_activity_output", activityId="?")
    studio.llm.on(REPORTING, look, look, say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    first, second = await studio.runs(done.id)
    assert (first.error, first.error_message) == ("model_error", "No end after 2 turns.")
    assert second.thread == first.thread + 1
    assert len(studio.llm.of(REPORTING)[2].request.messages) == 1


async def test_a_run_after_an_outage_goes_on_with_the_transcript(studio: Studio) -> None:
    look = use("read_activity_output", "Looking.", activityId="?")
    studio.llm.on(REPORTING, look, refused(), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    await studio.activity(campaign_id, REPORTING, "done")
    assert "broke off" in studio.llm.of(REPORTING)[2].said_last
    assert "Looking." in studio.llm.of(REPORTING)[2].transcript


async def test_a_model_that_refuses_to_answer_fails_the_run(studio: Studio) -> None:
    studio.llm.on(REPORTING, say("I will not.", stop=StopReason.REFUSED), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert (await studio.runs(done.id))[0].error == "model_error"


async def test_a_failed_agent_shows_its_error_until_a_run_goes_well(studio: Studio) -> None:
    report_id = await failed(studio)
    (noted,) = await studio.rows("select * from agent_config where role = 'copywriter'")
    assert "model_error" in noted.last_error_message
    await studio.try_again(report_id)
    await studio.until(
        "select 1 from agent_activity where id = :id and status = 'done'", id=report_id
    )
    (noted,) = await studio.rows("select * from agent_config where role = 'copywriter'")
    assert noted.last_ok_at > noted.last_error_at


async def test_a_tool_that_nobody_has_is_answered_and_the_run_goes_on(studio: Studio) -> None:
    both = (tool("send_money", amount=7), tool("read_activity_output", activityId="?"))
    studio.llm.on(REPORTING, Reply(tools=both), say("Done."))
    campaign_id = await studio.submit((REPORT, 1))
    await studio.activity(campaign_id, REPORTING, "done")
    unknown, missing = studio.llm.of(REPORTING)[1].answers
    assert (unknown.is_error, missing.is_error) == (True, True)
    assert "send_money" in unknown.output
