"""The cap of a campaign: reached, authorized, refused, raised, lifted; and the tenant's month."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from activities.agents import campaigns
from activities.ports import Usage
from models.contracts.agent_activities import BudgetHold
from models.rules.vocabulary import DeliverableType, Resolution
from tests.workflows.scripted_llm import Gate, Reply, plan, say, tool
from tests.workflows.studio import REPORT, Studio
from workflows.agents.campaigns import CampaignWorkflow

REPORTING = "performance_report"
CAP = Decimal("0.30")


def dear(usd: str) -> Usage:
    """What a turn of this price uses: $10 a million tokens."""
    return Usage(output_tokens=int(Decimal(usd) * 100_000))


LOOK = Reply(tools=(tool("read_activity_output", activityId="?"),), usage=dear("0.26"))
"""A turn after which the rest of the cap pays for no other."""


async def exhausted(studio: Studio) -> tuple[str, Any]:
    """A campaign whose cap was reached after the first turn of its report; and the report."""
    studio.llm.on(REPORTING, LOOK)
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=CAP)
    held = await studio.held(campaign_id, REPORTING, "budget_exhausted")
    await studio.pending_approval(campaign_id)
    return campaign_id, held


async def test_a_cap_reached_in_a_run_holds_it_and_asks_for_more(studio: Studio) -> None:
    campaign_id, held = await exhausted(studio)
    (approval,) = await studio.approvals(campaign_id)
    assert (approval.type, approval.risk_level, approval.created_by) == (
        "budget_authorization",
        "high",
        held.assignee_id,
    )
    assert [run.status for run in await studio.runs(held.id)] == ["running"]
    assert (await studio.one(held.id)).reserved_usd == 0


async def test_each_alert_is_sent_once(studio: Studio) -> None:
    campaign_id, _ = await exhausted(studio)
    alerts = [payload for _, payload in await studio.events("budget_alert")]
    assert [(one["type"], one["capUsd"]) for one in alerts] == [
        ("campaign_cap_90pct", 0.3),
        ("campaign_cap_100pct", 0.3),
    ]
    assert {one["campaignId"] for one in alerts} == {campaign_id}


async def test_ninety_percent_are_announced_before_the_cap_is_reached(studio: Studio) -> None:
    studio.llm.on(REPORTING, say("Done.", usage=dear("0.28")))
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=CAP)
    await studio.activity(campaign_id, REPORTING, "done")
    (alert,) = await studio.events("budget_alert")
    assert (alert[1]["type"], alert[1]["spentUsd"]) == ("campaign_cap_90pct", 0.284)


async def test_an_authorized_run_goes_on_beyond_the_cap(studio: Studio) -> None:
    campaign_id, held = await exhausted(studio)
    studio.llm.on(REPORTING, say("Done.", usage=dear("0.20")))
    resolved = await studio.resolve((await studio.pending_approval(campaign_id)).id)
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert (resolved.re_enqueued, done.wake_reason) == (1, "review_approved")
    assert len(await studio.runs(held.id)) == 1
    campaign = await studio.campaign_is(campaign_id, "active")
    assert campaign.spent_usd == Decimal("0.464")


async def test_what_would_start_is_held_and_joins_the_open_question(studio: Studio) -> None:
    studio.llm.on(REPORTING, LOOK, LOOK)
    campaign_id = await studio.submit((REPORT, 3), budget_cap_usd=CAP)
    await studio.until(
        "select 1 from approval_activity aa join approval a on a.id = aa.approval_id"
        " where a.campaign_id = :id offset 2",
        id=campaign_id,
    )
    (approval,) = await studio.approvals(campaign_id)
    resolved = await studio.resolve(approval.id)
    assert resolved.re_enqueued == 3
    await studio.until(
        "select 1 from agent_activity where type = :kind and status = 'done' offset 2",
        kind=REPORTING,
    )


async def test_what_is_held_after_an_authorization_is_asked_for_anew(studio: Studio) -> None:
    audit = "website_audit"
    late = {"type": audit, "dependsOn": [REPORTING]}
    studio.llm.on("campaign_planning", plan({"type": REPORTING}, late))
    studio.llm.on(REPORTING, LOOK)
    campaign_id = await studio.submit(
        (REPORT, 1), (DeliverableType.WEBSITE_AUDIT, 1), budget_cap_usd=CAP
    )
    first = await studio.pending_approval(campaign_id)
    await studio.resolve(first.id)
    await studio.activity(campaign_id, REPORTING, "done")
    second = await studio.pending_approval(campaign_id)
    assert (second.type, second.id != first.id) == ("budget_authorization", True)
    await studio.resolve(second.id)
    await studio.activity(campaign_id, audit, "done")


async def test_a_refused_authorization_holds_again_and_asks_no_second_time(
    studio: Studio,
) -> None:
    campaign_id, held = await exhausted(studio)
    approval = await studio.pending_approval(campaign_id)
    await studio.resolve(approval.id, Resolution.REJECTED, note="No money.")
    await studio.until(
        "select 1 from agent_activity where id = :id and wake_reason = 'budget_exhausted'"
        " and generation > :before",
        id=held.id,
        before=held.generation + 1,
    )
    assert [one.status for one in await studio.approvals(campaign_id)] == ["rejected"]
    assert len(studio.llm.of(REPORTING)) == 1


async def test_raising_the_cap_closes_the_question_as_that_admins_approval(
    studio: Studio,
) -> None:
    campaign_id, _ = await exhausted(studio)
    approval = await studio.pending_approval(campaign_id)
    await studio.change(campaign_id, budget_cap_usd=Decimal(5))
    done = await studio.activity(campaign_id, REPORTING, "done")
    closed = await studio.approval_is(approval.id, "approved")
    assert done.wake_reason == "budget_raised"
    assert (closed.resolution, closed.resolved_by) == ("approved", studio.admin.id)
    assert (await studio.one(done.id)).beyond_cap is False


async def test_a_raised_cap_frees_what_a_refusal_held(studio: Studio) -> None:
    campaign_id, _ = await exhausted(studio)
    approval = await studio.pending_approval(campaign_id)
    await studio.resolve(approval.id, Resolution.REJECTED, note="No money.")
    await studio.change(campaign_id, budget_cap_usd=Decimal(5))
    await studio.activity(campaign_id, REPORTING, "done")


async def test_a_hold_that_comes_too_late_for_a_raised_cap_is_let_go(studio: Studio) -> None:
    gate = Gate()
    studio.llm.on(REPORTING, Reply(tools=LOOK.tools, usage=LOOK.usage, gate=gate))
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=CAP)
    await gate.reached.wait()
    report = await studio.activity(campaign_id, REPORTING, "in_progress")
    await studio.change(campaign_id, budget_cap_usd=Decimal(5))
    late = BudgetHold(activity_id=report.id, cap=CAP)
    await studio.campaign(campaign_id).signal(CampaignWorkflow.budget_hold, late)
    gate.open()
    await studio.activity(campaign_id, REPORTING, "done")
    assert await studio.approvals(campaign_id) == []
    assert await studio.events("budget_alert") == []


async def test_lifting_the_cap_frees_what_it_held(studio: Studio) -> None:
    campaign_id, _ = await exhausted(studio)
    await studio.change(campaign_id, lift_cap=True)
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "budget_raised"
    assert [one.status for one in await studio.approvals(campaign_id)] == ["approved"]


async def test_a_new_cap_that_is_reached_asks_and_alerts_anew(studio: Studio) -> None:
    campaign_id, held = await exhausted(studio)
    studio.llm.on(REPORTING, LOOK)
    await studio.change(campaign_id, budget_cap_usd=Decimal("0.55"))
    again = await studio.until(
        "select * from approval where status = 'pending' and campaign_id = :id", id=campaign_id
    )
    await studio.held(campaign_id, REPORTING, "budget_exhausted")
    assert "0.55" in again.title
    assert len(await studio.events("budget_alert")) == 4
    assert len(await studio.runs(held.id)) == 1


async def test_an_authorization_that_expires_blocks_until_the_cap_is_raised(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "EXPIRY", timedelta(seconds=0.5))
    studio.llm.on(REPORTING, LOOK)
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=CAP)
    await studio.held(campaign_id, REPORTING, "approval_expired")
    assert [one.status for one in await studio.approvals(campaign_id)] == ["expired"]
    await studio.change(campaign_id, budget_cap_usd=Decimal(5))
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "budget_raised"


async def test_a_budget_hold_outlasts_a_pause(studio: Studio) -> None:
    campaign_id, held = await exhausted(studio)
    await studio.pause(campaign_id)
    await studio.resume(campaign_id)
    await studio.resolve((await studio.pending_approval(campaign_id)).id)
    await studio.activity(campaign_id, REPORTING, "done")
    assert len(await studio.runs(held.id)) == 1


async def test_an_authorization_during_a_pause_counts_when_it_is_over(studio: Studio) -> None:
    campaign_id, _ = await exhausted(studio)
    await studio.pause(campaign_id)
    await studio.resolve((await studio.pending_approval(campaign_id)).id)
    await studio.held(campaign_id, REPORTING, "campaign_paused")
    await studio.resume(campaign_id)
    done = await studio.activity(campaign_id, REPORTING, "done")
    assert done.wake_reason == "review_approved"


async def test_a_planner_without_money_is_held_and_plans_when_it_has_some(
    studio: Studio,
) -> None:
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=Decimal("0.01"))
    await studio.held(campaign_id, "campaign_planning", "budget_exhausted")
    await studio.campaign_is(campaign_id, "draft")
    await studio.change(campaign_id, budget_cap_usd=Decimal(5))
    await studio.campaign_is(campaign_id, "active")


async def test_a_choice_is_not_forgotten_over_a_budget_hold(studio: Studio) -> None:
    question = {
        "type": "content_direction",
        "riskLevel": "low",
        "title": "Which colour?",
        "options": ["Blue", "Green"],
    }
    asks = Reply(tools=(tool("request_approval", **question),), usage=dear("0.26"))
    studio.llm.on(REPORTING, asks)
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=CAP)
    await studio.resolve((await studio.pending_approval(campaign_id)).id, selected_option="Blue")
    await studio.held(campaign_id, REPORTING, "budget_exhausted")
    await studio.change(campaign_id, lift_cap=True)
    await studio.activity(campaign_id, REPORTING, "done")
    assert "Chosen: Blue" in studio.llm.of(REPORTING)[1].said_last


async def test_money_is_asked_for_by_whoever_has_the_work_now(studio: Studio) -> None:
    hand = tool("hand_over", to="analyst", purpose="work", note="Count it.")
    studio.llm.on("copywriter", Reply(text="A draft.", tools=(hand,), usage=dear("0.26")))
    campaign_id = await studio.submit((REPORT, 1), budget_cap_usd=CAP)
    held = await studio.held(campaign_id, REPORTING, "budget_exhausted")
    approval = await studio.pending_approval(campaign_id)
    assert held.agent_role == "analyst"
    assert approval.created_by == held.assignee_id


async def test_the_tenants_month_stops_an_activity_for_good(studio: Studio) -> None:
    async with studio.db.tenant(studio.tenant_id) as db:
        await db.execute(
            text("update tenant set monthly_cap_usd = 0.01 where id = :id"),
            {"id": studio.tenant_id},
        )
    campaign_id = await studio.submit((REPORT, 1))
    failed = await studio.until(
        "select * from agent_activity where campaign_id = :id and status = 'failed'",
        id=campaign_id,
    )
    assert (failed.last_error, failed.auto_retries) == ("cost_limit_exceeded", 0)
