"""Campaigns over HTTP."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.errors import Unprocessable
from models.ids import new_id
from models.queries.tenants import system_campaign_id
from tests.api.conftest import TenantPeople
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk

URL = "/dashboard/v1/campaigns"


def a_brief(**overrides: Any) -> dict[str, Any]:
    return {
        "name": "Spring",
        "brief": "Sell heat pumps.",
        "deliverables": [{"type": "blog_post", "quantity": 2}],
    } | overrides


async def ids(http: httpx.AsyncClient, people: TenantPeople, query: str = "") -> list[str]:
    answer = await http.get(URL + query, headers=people.member.headers)
    assert answer.status_code == 200, answer.text
    return [campaign["id"] for campaign in answer.json()["data"]]


async def test_a_submitted_brief_starts_its_workflow_and_is_a_draft(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    brief = a_brief(budgetCapUsd=12.5, startDate="2099-01-01", endDate="2099-02-01")
    answer = await http.post(URL, json=brief, headers=tenant_a.admin.headers)
    assert answer.status_code == 201
    campaign_id = answer.json()["id"]
    assert answer.json() == {"id": campaign_id, "name": "Spring", "status": "draft"}
    sent = desk.only
    assert (sent.name, sent.workflow_id) == ("submit", f"campaign:{campaign_id}")
    assert sent.start.tenant_id == tenant_a.id
    assert sent.argument.actor.id == tenant_a.admin.id
    assert sent.argument.budget_cap_usd == Decimal("12.5")
    assert sent.argument.end_date == date(2099, 2, 1)


async def test_a_brief_sent_twice_with_one_key_is_one_campaign(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    headers = tenant_a.admin.headers | {"Idempotency-Key": "spring"}
    first = await http.post(URL, json=a_brief(), headers=headers)
    again = await http.post(URL, json=a_brief(), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(desk.sent) == 1
    other = await http.post(URL, json=a_brief(name="Autumn"), headers=headers)
    assert other.status_code == 409


async def test_what_the_workflow_refuses_is_the_answer(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    desk.answers["submit"] = Unprocessable("There is no such channel.")
    answer = await http.post(URL, json=a_brief(), headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "UNPROCESSABLE")


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"name": ""}, "body.name"),
        ({"name": "n" * 201}, "body.name"),
        ({"brief": "b" * 20_001}, "body.brief"),
        ({"brief": None}, "body.brief"),
        ({"deliverables": []}, "body.deliverables"),
        ({"deliverables": [{"type": "poem", "quantity": 1}]}, "body.deliverables.0.type"),
        ({"deliverables": [{"type": "blog_post", "quantity": 0}]}, "body.deliverables.0.quantity"),
        (
            {"deliverables": [{"type": "blog_post", "quantity": "2"}]},
            "body.deliverables.0.quantity",
        ),
        ({"budgetCapUsd": 0}, "body.budgetCapUsd"),
        ({"budgetCapUsd": "12"}, "body.budgetCapUsd"),
        ({"budgetCapUsd": None}, "body.budgetCapUsd"),
        ({"startDate": "01.02.2099"}, "body.startDate"),
        ({"startDate": 5}, "body.startDate"),
        ({"startDate": "2099-02-01", "endDate": "2099-01-01"}, "body.endDate"),
        ({"attachments": [new_id()] * 21}, "body.attachments"),
        ({"surprise": 1}, "body.surprise"),
    ],
)
async def test_a_malformed_brief_is_refused_where_it_is_wrong(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    desk: RecordedDesk,
    change: dict[str, Any],
    location: str,
) -> None:
    answer = await http.post(URL, json=a_brief(**change), headers=tenant_a.admin.headers)
    assert answer.status_code == 400
    assert [item["location"] for item in answer.json()["errors"]] == [location]
    assert desk.sent == []


async def test_a_campaign_that_would_have_ended_is_unprocessable(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    answer = await http.post(URL, json=a_brief(endDate=yesterday), headers=tenant_a.admin.headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["location"] == "body.endDate"
    assert desk.sent == []


async def test_a_brief_of_emoji_is_taken_whole(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    answer = await http.post(URL, json=a_brief(brief="🌋" * 20_000), headers=tenant_a.admin.headers)
    assert answer.status_code == 201
    assert desk.only.argument.brief == "🌋" * 20_000


async def test_only_admins_change_campaigns(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    campaign_id = await records.campaign()
    for person in (tenant_a.member, tenant_a.reviewer):
        headers = person.headers
        answers = [
            await http.post(URL, json=a_brief(), headers=headers),
            await http.patch(f"{URL}/{campaign_id}", json={"name": "x"}, headers=headers),
            await http.delete(f"{URL}/{campaign_id}", headers=headers),
            await http.post(f"{URL}/attachments", files={"file": b"x"}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [403] * 4
    assert desk.sent == []


async def test_the_list_is_newest_first_without_archived_and_system_campaigns(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    first = await records.campaign()
    archived = await records.campaign(status="archived")
    last = await records.campaign(status="paused")
    assert await ids(http, tenant_a) == [last, first]
    assert await ids(http, tenant_a, "?order=asc") == [first, last]
    assert await ids(http, tenant_a, "?filter.status=archived,paused") == [last, archived]
    assert await ids(http, tenant_a, "?filter.status=draft") == []


async def test_pages_join_without_gap_or_overlap(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    made = {await records.campaign(created_on=at) for _ in range(3)}
    made |= {await records.campaign(status="draft") for _ in range(4)}
    for query in ("order=asc", "order=desc", "filter.status=active,draft"):
        seen: list[str] = []
        cursor = ""
        while True:
            answer = await http.get(
                f"{URL}?limit=2&{query}{cursor}", headers=tenant_a.reviewer.headers
            )
            seen += [campaign["id"] for campaign in answer.json()["data"]]
            paging = answer.json()["pagination"]
            if not paging["hasMore"]:
                break
            cursor = f"&cursor={paging['nextCursor']}"
        assert len(seen) == 7
        assert set(seen) == made


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "filter.status=gone", "filter.name=x", "cursor=x", "order=up"]
)
async def test_a_malformed_query_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str
) -> None:
    answer = await http.get(f"{URL}?{query}", headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")


async def test_a_summary_counts_activities_by_how_far_they_are(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign(budget_cap_usd=Decimal("9.5"), spent_usd=Decimal("1.25"))
    await records.deliverable(campaign_id)
    for status in (
        "in_progress", "awaiting_approval", "awaiting_subtask", "awaiting_review",
        "created", "assigned", "reassigned", "blocked", "done", "failed",
    ):  # fmt: skip
        activity_id = await records.activity(campaign_id, status=status)
    await records.approval(campaign_id, activity_id)
    await records.approval(campaign_id, status="expired")
    answer = await http.get(URL, headers=tenant_a.member.headers)
    (summary,) = answer.json()["data"]
    assert summary == {
        "id": campaign_id,
        "name": "Spring",
        "status": "active",
        "budgetCapUsd": 9.5,
        "spentUsd": 1.25,
        "deliverableCount": 1,
        "activityCount": {"total": 10, "inProgress": 4, "pending": 4, "done": 1},
        "pendingApprovals": 1,
        "createdBy": tenant_a.admin.name,
        "createdOn": summary["createdOn"],
        "startDate": None,
        "endDate": None,
    }


async def test_a_campaign_in_full_shows_period_activities_and_costs(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    channels = [await records.channel(name=name) for name in ("Blog", "News")]
    deliverable_id = await records.deliverable(campaign_id, channel_ids=channels[::-1])
    await records.deliverable(campaign_id, position=1, type="ad_copy")
    today = datetime.now(UTC).date()
    period_id = await records.period(
        campaign_id, deliverable_id, period_start=today, period_end=today + timedelta(days=30)
    )
    made = [
        await records.activity(
            campaign_id, status=status, deliverable_id=deliverable_id, period_id=period_id
        )
        for status in ("done", "awaiting_review", "created")
    ]
    await records.charge(campaign_id, made[0], "0.5")
    await records.charge(campaign_id, made[0], "0.25", agent_role="editor")
    await records.charge(campaign_id, made[1], "0.000001")
    answer = await http.get(f"{URL}/{campaign_id}", headers=tenant_a.reviewer.headers)
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["createdBy"] == {"id": tenant_a.admin.id, "name": tenant_a.admin.name}
    assert shown["deliverables"][0]["currentPeriod"] == {
        "periodStart": today.isoformat(),
        "periodEnd": (today + timedelta(days=30)).isoformat(),
        "target": 2,
        "completed": 1,
        "inProgress": 1,
        "status": "on_track",
    }
    platforms = shown["deliverables"][0]["platforms"]
    assert [platform["name"] for platform in platforms] == ["News", "Blog"]
    assert "currentPeriod" not in shown["deliverables"][1]
    assert [activity["id"] for activity in shown["recentActivities"]] == made[::-1]
    assert shown["costByAgent"] == [
        {"agentRole": "copywriter", "costUsd": 0.500001},
        {"agentRole": "editor", "costUsd": 0.25},
    ]


async def test_archived_and_system_campaigns_can_be_read_by_id(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    for campaign_id in (await records.campaign(status="archived"), system_campaign_id(tenant_a.id)):
        answer = await http.get(f"{URL}/{campaign_id}", headers=tenant_a.member.headers)
        assert answer.status_code == 200


async def test_campaigns_of_others_are_not_there(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    foreign_records: Records,
    desk: RecordedDesk,
) -> None:
    foreign = await foreign_records.campaign()
    headers = tenant_a.admin.headers
    for campaign_id in (foreign, new_id(), "not-an-id"):
        answers = [
            await http.get(f"{URL}/{campaign_id}", headers=headers),
            await http.get(f"{URL}/{campaign_id}/deliverables", headers=headers),
            await http.patch(f"{URL}/{campaign_id}", json={"name": "x"}, headers=headers),
            await http.delete(f"{URL}/{campaign_id}", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
    assert await ids(http, tenant_a) == []
    assert desk.sent == []


async def test_a_change_goes_to_the_workflow_and_the_summary_comes_back(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    campaign_id = await records.campaign()
    patch = {"name": "Summer", "budgetCapUsd": None, "status": "paused"}
    answer = await http.patch(f"{URL}/{campaign_id}", json=patch, headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["id"]) == (200, campaign_id)
    change = desk.only.argument
    assert desk.only.workflow_id == f"campaign:{campaign_id}"
    assert (change.name, change.brief, change.lift_cap) == ("Summer", None, True)
    assert change.status == "paused"
    assert desk.only.start.resume is True


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({}, 400),
        ({"name": None}, 400),
        ({"brief": ""}, 400),
        ({"status": "archived"}, 400),
        ({"budgetCapUsd": -1}, 400),
        ({"plan": []}, 400),
        ({"deliverables": []}, 422),
    ],
)
async def test_an_impossible_patch_is_refused(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    desk: RecordedDesk,
    patch: dict[str, Any],
    status: int,
) -> None:
    campaign_id = await records.campaign()
    answer = await http.patch(f"{URL}/{campaign_id}", json=patch, headers=tenant_a.admin.headers)
    assert answer.status_code == status
    assert desk.sent == []


async def test_a_campaign_at_rest_cannot_be_changed(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    archived = await records.campaign(status="archived")
    draft = await records.campaign(status="draft")
    system = system_campaign_id(tenant_a.id)
    for campaign_id, patch in (
        (archived, {"name": "x"}),
        (system, {"name": "x"}),
        (draft, {"status": "paused"}),
    ):
        answer = await http.patch(
            f"{URL}/{campaign_id}", json=patch, headers=tenant_a.admin.headers
        )
        assert answer.status_code == 409
    assert desk.sent == []


async def test_archiving_goes_to_the_workflow_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    campaign_id = await records.campaign()
    archived = await records.campaign(status="archived")
    headers = tenant_a.admin.headers
    answer = await http.delete(f"{URL}/{campaign_id}", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (desk.only.name, desk.only.argument.id) == ("archive", tenant_a.admin.id)
    assert (await http.delete(f"{URL}/{archived}", headers=headers)).status_code == 204
    system = system_campaign_id(tenant_a.id)
    assert (await http.delete(f"{URL}/{system}", headers=headers)).status_code == 409
    assert len(desk.sent) == 1
