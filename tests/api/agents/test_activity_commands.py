"""Retrying and completing activities, and commenting on them, over HTTP."""

from typing import Any

import httpx
import pytest

from models.errors import Unprocessable
from models.ids import new_id
from models.queries.agents import comments
from models.tables.agent_activities import Comment
from models.tables.people import Notification
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.factories.records import Records
from tests.fakes.desk import Command, RecordedDesk

URL = "/dashboard/v1/activities"


async def test_a_retry_goes_to_the_workflow_which_names_the_run(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    activity_id = await records.activity(status="failed")
    desk.answers["retry"] = run_id = new_id()
    answer = await http.post(f"{URL}/{activity_id}/retry", headers=tenant_a.admin.headers)
    assert answer.status_code == 202
    assert answer.json() == {"activityId": activity_id, "runId": run_id}
    assert desk.only.workflow_id == f"activity:{activity_id}"
    assert desk.only.start.resume is True
    assert desk.only.argument.actor.id == tenant_a.admin.id


@pytest.mark.parametrize(
    ("campaign", "activity"), [("active", "done"), ("paused", "failed"), ("archived", "failed")]
)
async def test_only_a_failed_activity_of_a_running_campaign_is_retried(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    desk: RecordedDesk,
    campaign: str,
    activity: str,
) -> None:
    activity_id = await records.activity(await records.campaign(status=campaign), status=activity)
    answer = await http.post(f"{URL}/{activity_id}/retry", json={}, headers=tenant_a.admin.headers)
    assert answer.status_code == 422
    assert desk.sent == []


async def test_a_retry_takes_no_words(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    activity_id = await records.activity(status="failed")
    answer = await http.post(
        f"{URL}/{activity_id}/retry", json={"why": 1}, headers=tenant_a.admin.headers
    )
    assert answer.status_code == 400


async def test_an_assignee_hands_their_activity_in(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    activity_id = await records.activity(
        status="in_progress", agent_role=None, assignee_id=tenant_a.member.id
    )
    for person in (tenant_a.member, tenant_a.admin):
        answer = await http.post(
            f"{URL}/{activity_id}/complete", json={"output": "Booked."}, headers=person.headers
        )
        assert (answer.status_code, answer.json()["id"]) == (200, activity_id)
    first, second = (command.argument for command in desk.sent)
    assert (first.output, first.format, first.is_admin) == ("Booked.", "markdown", False)
    assert second.is_admin is True


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"agent_role": "copywriter"}, 422),
        ({"agent_role": None}, 403),
        ({"agent_role": None, "status": "done"}, 422),
        ({"agent_role": None, "campaign": "paused"}, 422),
    ],
)
async def test_what_is_not_ones_own_or_not_under_way_cannot_be_completed(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    desk: RecordedDesk,
    changes: dict[str, Any],
    status: int,
) -> None:
    campaign_id = await records.campaign(status=changes.pop("campaign", "active"))
    if status == 422 and changes["agent_role"] is None:
        changes["assignee_id"] = tenant_a.member.id
    activity_id = await records.activity(campaign_id, **({"status": "in_progress"} | changes))
    answer = await http.post(
        f"{URL}/{activity_id}/complete", json={"output": "x"}, headers=tenant_a.member.headers
    )
    assert answer.status_code == status
    assert desk.sent == []


@pytest.mark.parametrize(
    "body", [{}, {"output": ""}, {"output": "x" * 200_001}, {"output": "x", "format": "pdf"}]
)
async def test_a_malformed_result_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, body: dict[str, Any]
) -> None:
    activity_id = await records.activity(status="in_progress", agent_role=None)
    answer = await http.post(
        f"{URL}/{activity_id}/complete", json=body, headers=tenant_a.admin.headers
    )
    assert answer.status_code == 400


async def test_commands_need_their_role(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    activity_id = await records.activity(status="failed")
    for person, path in (
        (tenant_a.member, "retry"),
        (tenant_a.reviewer, "retry"),
        (tenant_a.reviewer, "complete"),
    ):
        answer = await http.post(
            f"{URL}/{activity_id}/{path}", json={"output": "x"}, headers=person.headers
        )
        assert answer.status_code == 403
    assert desk.sent == []


async def test_commands_do_not_reach_others(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    foreign_records: Records,
    desk: RecordedDesk,
) -> None:
    foreign = await foreign_records.activity(status="failed")
    for path, body in (
        ("retry", {}),
        ("complete", {"output": "x"}),
        ("comments", {"text": "x"}),
    ):
        answer = await http.post(
            f"{URL}/{foreign}/{path}", json=body, headers=tenant_a.admin.headers
        )
        assert answer.status_code == 404
    assert desk.sent == []
    assert await foreign_records.count(Comment) == 0


async def test_a_comment_mentions_whom_it_names_and_notifies_the_people(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    activity_id = await records.activity()
    text = (
        f"@agent:editor and @human:{tenant_a.member.id}. Not @agent:poet, @human:nobody "
        f"or mail@human:{tenant_a.reviewer.id}; @agent:editor again, @human:{tenant_a.reviewer.id}"
    )
    body = {"text": text, "type": "intervention_note"}
    url = f"{URL}/{activity_id}/comments"
    answer = await http.post(url, json=body, headers=tenant_a.reviewer.headers)
    assert answer.status_code == 201
    comment = answer.json()
    assert comment["text"] == text
    assert comment["author"] == {
        "id": tenant_a.reviewer.id, "name": tenant_a.reviewer.name, "type": "human",
    }  # fmt: skip
    assert [mention["id"] for mention in comment["mentions"]] == [
        records.agent("editor"),
        tenant_a.member.id,
        tenant_a.reviewer.id,
    ]
    (told,) = await records.all(Notification)
    assert (told.principal_id, told.payload["commentId"]) == (tenant_a.member.id, comment["id"])
    listed = await http.get(url, headers=tenant_a.member.headers)
    assert listed.json() == {"data": [comment]}
    assert [entry.entity_id for entry in await records.all(AuditEntry)] == [comment["id"]]
    assert desk.sent == []


async def test_a_mention_of_its_agent_wakes_an_activity_whose_approval_expired(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    activity_id = await records.activity(status="blocked", wake_reason="approval_expired")

    async def take(command: Command) -> None:
        async with records.database.tenant(tenant_a.id) as db:
            await comments.add(db, tenant_a.id, activity_id, command.argument)

    desk.answers["mention"] = take
    url = f"{URL}/{activity_id}/comments"
    other = {"text": "@agent:editor, what do you think?"}
    await http.post(url, json=other, headers=tenant_a.member.headers)
    assert desk.sent == []
    waking = {"text": "@agent:copywriter go on"}
    answer = await http.post(url, json=waking, headers=tenant_a.member.headers)
    assert answer.status_code == 201
    assert desk.only.workflow_id == f"activity:{activity_id}"
    assert answer.json()["id"] == desk.only.argument.comment_id
    assert await records.count(Comment) == 2


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "x" * 10_001}, {"text": "a\u0000b"}, {"text": 5}]
)
async def test_a_malformed_comment_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, body: dict[str, Any]
) -> None:
    activity_id = await records.activity()
    answer = await http.post(
        f"{URL}/{activity_id}/comments", json=body, headers=tenant_a.member.headers
    )
    assert answer.status_code == 400


async def test_what_the_workflow_refuses_is_the_answer(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    activity_id = await records.activity(status="failed")
    desk.answers["retry"] = Unprocessable("Only a failed activity can be retried.")
    answer = await http.post(f"{URL}/{activity_id}/retry", headers=tenant_a.admin.headers)
    assert answer.status_code == 422
