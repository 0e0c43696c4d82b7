"""Activities over HTTP: lists, detail, output, stream."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from models.ids import new_id
from tests.api.conftest import TenantPeople
from tests.factories.records import NOON, Records

URL = "/dashboard/v1/activities"


async def ids(http: httpx.AsyncClient, people: TenantPeople, query: str = "") -> list[str]:
    answer = await http.get(f"{URL}?{query}", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    return [activity["id"] for activity in answer.json()["data"]]


async def test_an_activity_in_a_list_leaves_out_what_it_has_not(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    activity_id = await records.activity(
        campaign_id, status="created", wake_reason=None, spent_usd=Decimal("0.000125")
    )
    by_hand = await records.activity(
        campaign_id, agent_role=None, started_at=NOON, approval_id=new_id()
    )
    answer = await http.get(URL, headers=tenant_a.member.headers)
    human, agent = answer.json()["data"]
    assert agent == {
        "id": activity_id,
        "title": "A post",
        "type": "blog_post",
        "status": "created",
        "agentRole": "copywriter",
        "assigneeName": "Copywriter",
        "campaignId": campaign_id,
        "campaignName": "Spring",
        "costUsd": 0.000125,
        "createdOn": agent["createdOn"],
    }
    assert (human["id"], human["agentRole"]) == (by_hand, None)
    assert human["assigneeName"] == tenant_a.admin.name
    assert human["startedAt"] == "2026-03-02T12:00:00.000Z"


async def test_every_filter_narrows_the_list(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    spring, autumn = await records.campaign(), await records.campaign(status="archived")
    deliverable_id = await records.deliverable(spring)
    done = await records.activity(spring, status="done", deliverable_id=deliverable_id)
    failed = await records.activity(autumn, status="failed", wake_reason="auto_retry")
    held = await records.activity(
        autumn, status="blocked", wake_reason="budget_exhausted", agent_role="editor"
    )
    assert await ids(http, tenant_a) == [held, failed, done]
    assert await ids(http, tenant_a, "filter.status=done") == [done]
    assert await ids(http, tenant_a, "filter.status=done,blocked,done") == [held, done]
    assert await ids(http, tenant_a, "filter.status=done&filter.status=failed") == [failed, done]
    assert await ids(http, tenant_a, "filter.agentRole=editor") == [held]
    assert await ids(http, tenant_a, f"filter.campaignId={autumn}") == [held, failed]
    assert await ids(http, tenant_a, f"filter.deliverableId={deliverable_id}") == [done]
    both = "filter.wakeReason=auto_retry,budget_exhausted"
    assert await ids(http, tenant_a, both) == [held, failed]
    assert await ids(http, tenant_a, f"{both}&filter.status=failed,done") == [failed]
    assert await ids(http, tenant_a, f"filter.campaignId={spring}&filter.status=failed") == []


@pytest.mark.parametrize(
    "query",
    ["filter.wakeReason=boredom", "filter.campaignId=nothing", "filter.agentRole=nobody"],
)
async def test_a_filter_for_what_is_not_there_gives_an_empty_list(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, query: str
) -> None:
    await records.activity()
    assert await ids(http, tenant_a, query) == []


@pytest.mark.parametrize("query", ["filter.status=lost", "filter.type=x", "limit=200"])
async def test_a_malformed_query_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str
) -> None:
    answer = await http.get(f"{URL}?{query}", headers=tenant_a.member.headers)
    assert answer.status_code == 400


async def test_a_cursor_belongs_to_its_filters(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    made = [await records.activity(campaign_id) for _ in range(3)]
    first = await http.get(f"{URL}?limit=2", headers=tenant_a.member.headers)
    cursor = first.json()["pagination"]["nextCursor"]
    assert await ids(http, tenant_a, f"limit=2&cursor={cursor}") == made[:1]
    other = await http.get(
        f"{URL}?filter.status=done&cursor={cursor}", headers=tenant_a.member.headers
    )
    assert other.status_code == 400


async def test_an_activity_in_full_shows_all_that_hangs_on_it(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    deliverable_id = await records.deliverable(campaign_id)
    activity_id = await records.activity(
        campaign_id, status="awaiting_approval", deliverable_id=deliverable_id,
        approval_id=(approval_id := new_id()),
    )  # fmt: skip
    await records.approval(campaign_id, activity_id, id=approval_id)
    subtasks = [await records.activity(campaign_id, parent_id=activity_id) for _ in range(2)]
    await records.run(activity_id, number=1, status="timeout", error="timeout")
    await records.run(activity_id, number=2, cost_usd=Decimal("0.5"), input_tokens=7)
    await records.run(activity_id, number=3, status="running", ended_at=None)
    comments = [await records.comment(activity_id, text=text) for text in ("One", "Two")]
    await records.output(activity_id, "Old")
    output_id = await records.output(activity_id, "N" * 600)
    answer = await http.get(f"{URL}/{activity_id}", headers=tenant_a.reviewer.headers)
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["assignee"] == {
        "id": records.agent(), "name": "Copywriter", "type": "agent",
    }  # fmt: skip
    assert shown["campaign"] == {"id": campaign_id, "name": "Spring"}
    assert shown["deliverable"] == {"id": deliverable_id, "type": "blog_post"}
    assert shown["approval"] == {
        "id": approval_id, "type": "content_review", "status": "pending",
    }  # fmt: skip
    assert (shown["outputRef"], shown["outputPreview"]) == (output_id, "N" * 500)
    assert [comment["id"] for comment in shown["comments"]] == comments
    assert [subtask["id"] for subtask in shown["subtasks"]] == subtasks
    newest, oldest = shown["runs"]
    assert (newest["costUsd"], newest["inputTokens"], newest["durationMs"]) == (0.5, 7, 30_000)
    assert newest["completedAt"] == "2026-03-02T12:00:30.000Z"
    assert (oldest["status"], oldest["error"]) == ("timeout", "timeout")
    assert "completedAt" not in oldest


async def test_a_bare_activity_leaves_out_what_it_has_not(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    activity_id = await records.activity()
    answer = await http.get(f"{URL}/{activity_id}", headers=tenant_a.member.headers)
    assert not {"deliverable", "approval", "outputRef", "outputPreview"} & set(answer.json())


async def test_the_newest_output_is_read_whole(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    activity_id = await records.activity()
    url = f"{URL}/{activity_id}/output"
    assert (await http.get(url, headers=tenant_a.member.headers)).status_code == 404
    await records.output(activity_id, "Old")
    await records.output(activity_id, "# New 🌋", created_on=NOON + timedelta(days=1))
    answer = await http.get(url, headers=tenant_a.member.headers)
    assert answer.json() == {
        "activityId": activity_id,
        "text": "# New 🌋",
        "format": "markdown",
        "createdOn": "2026-03-03T12:00:00.000Z",
    }


async def test_a_finished_activity_tells_its_stream_at_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    activity_id = await records.activity(status="done")
    answer = await http.get(f"{URL}/{activity_id}/stream", headers=tenant_a.reviewer.headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "event: completed" in answer.text


async def test_activities_of_others_are_not_there(
    http: httpx.AsyncClient, tenant_a: TenantPeople, foreign_records: Records
) -> None:
    foreign = await foreign_records.activity()
    await foreign_records.output(foreign, "Secret")
    for activity_id in (foreign, new_id(), "not-an-id"):
        for path in ("", "/output", "/stream", "/comments"):
            answer = await http.get(f"{URL}/{activity_id}{path}", headers=tenant_a.admin.headers)
            assert answer.status_code == 404
    assert await ids(http, tenant_a) == []
