"""Approvals over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.http.commands import WorkflowGone
from models.contracts.approvals import ResolvedApproval
from models.errors import Conflict
from models.ids import new_id
from models.queries.agents import approvals_write
from models.rules.vocabulary import Resolution
from tests.api.conftest import TenantPeople
from tests.factories.records import NOON, Records
from tests.fakes.desk import Command, RecordedDesk

URL = "/dashboard/v1/approvals"


async def ids(http: httpx.AsyncClient, people: TenantPeople, query: str = "") -> list[str]:
    answer = await http.get(f"{URL}?{query}", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    return [approval["id"] for approval in answer.json()["data"]]


async def test_a_pending_approval_shows_its_question_and_who_waits(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    activity_id = await records.activity(campaign_id, status="awaiting_approval")
    bare = await records.activity(campaign_id)
    approval_id = await records.approval(
        campaign_id, activity_id, bare, options=["Red", "Blue"], expires_at=NOON
    )
    output_id = await records.output(activity_id, "T" * 501)
    (listed,) = (await http.get(URL, headers=tenant_a.member.headers)).json()["data"]
    assert listed == {
        "id": approval_id,
        "title": "Publish?",
        "type": "content_review",
        "riskLevel": "medium",
        "status": "pending",
        "options": ["Red", "Blue"],
        "linkedActivities": [
            {"id": activity_id, "title": "A post", "status": "awaiting_approval"},
            {"id": bare, "title": "A post", "status": "assigned"},
        ],
        "createdBy": {"id": records.agent(), "name": "Copywriter", "type": "agent"},
        "createdOn": listed["createdOn"],
        "expiresAt": "2026-03-02T12:00:00.000Z",
    }
    shown = await http.get(f"{URL}/{approval_id}", headers=tenant_a.reviewer.headers)
    first, second = shown.json()["linkedActivities"]
    assert (first["outputRef"], first["outputPreview"]) == (output_id, "T" * 500)
    assert "outputRef" not in second


async def test_a_decided_approval_shows_the_decision(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    approval_id = await records.approval(
        await records.campaign(), status="rejected", resolution="revision_requested",
        resolved_at=NOON, resolved_by=tenant_a.admin.id, resolution_note="Shorter.",
    )  # fmt: skip
    answer = await http.get(f"{URL}/{approval_id}", headers=tenant_a.member.headers)
    shown = answer.json()
    assert shown["resolvedBy"] == {"id": tenant_a.admin.id, "name": tenant_a.admin.name}
    assert (shown["status"], shown["resolution"]) == ("rejected", "revision_requested")
    assert (shown["resolutionNote"], shown["resolvedAt"]) == (
        "Shorter.",
        "2026-03-02T12:00:00.000Z",
    )
    assert "selectedOption" not in shown


async def test_the_list_holds_pending_ones_unless_asked_for_others(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    low = await records.approval(campaign_id, risk_level="low")
    budget = await records.approval(campaign_id, type="budget_authorization", risk_level="high")
    expired = await records.approval(campaign_id, status="expired")
    assert await ids(http, tenant_a) == [budget, low]
    assert await ids(http, tenant_a, "filter.status=expired,pending") == [expired, budget, low]
    assert await ids(http, tenant_a, "filter.type=content_review") == [low]
    assert await ids(http, tenant_a, "filter.riskLevel=high,medium") == [budget]
    refused = await http.get(f"{URL}?filter.status=open", headers=tenant_a.member.headers)
    assert refused.status_code == 400


async def test_the_stats_count_the_queue(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    now = datetime.now(UTC)
    await records.approval(campaign_id, risk_level="high", expires_at=now + timedelta(hours=20))
    await records.approval(campaign_id)
    await records.approval(campaign_id, status="approved", resolution="approved", resolved_at=now)
    await records.approval(
        campaign_id, status="approved", resolution="approved", resolved_at=now - timedelta(days=8)
    )
    await records.approval(campaign_id, status="expired")
    answer = await http.get(f"{URL}/stats", headers=tenant_a.member.headers)
    assert answer.json() == {
        "pending": 2, "highRisk": 1, "expiringIn24h": 1, "resolvedThisWeek": 1,
    }  # fmt: skip


async def test_a_decision_goes_to_the_workflow(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    approval_id = await records.approval(await records.campaign())
    body = {"resolution": "revision_requested", "note": "Shorter."}
    answer = await http.post(
        f"{URL}/{approval_id}/resolve", json=body, headers=tenant_a.admin.headers
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "approvalId": approval_id,
        "resolution": "revision_requested",
        "reEnqueuedActivities": 1,
    }
    assert desk.only.workflow_id == f"approval:{approval_id}"
    assert (desk.only.argument.note, desk.only.argument.actor.id) == (
        "Shorter.",
        tenant_a.admin.id,
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"resolution": "maybe"}, 400),
        ({"resolution": "rejected"}, 400),
        ({"resolution": "rejected", "note": " \n"}, 400),
        ({"resolution": "approved", "note": "x" * 10_001}, 400),
        ({"resolution": "approved", "selectedOption": None}, 400),
    ],
)
async def test_a_malformed_decision_is_refused(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    desk: RecordedDesk,
    body: dict[str, Any],
    status: int,
) -> None:
    approval_id = await records.approval(await records.campaign())
    answer = await http.post(
        f"{URL}/{approval_id}/resolve", json=body, headers=tenant_a.admin.headers
    )
    assert answer.status_code == status
    assert desk.sent == []


async def test_a_decision_whose_answer_was_lost_can_be_sent_again_with_its_key(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    approval_id = await records.approval(
        await records.campaign(), status="approved", resolved_by=tenant_a.admin.id
    )
    path, body = f"{URL}/{approval_id}/resolve", {"resolution": "approved"}
    desk.answers["resolve"] = ResolvedApproval(
        approval_id=approval_id, resolution=Resolution.APPROVED, re_enqueued=1
    )
    bare = await http.post(path, json=body, headers=tenant_a.admin.headers)
    keyed = tenant_a.admin.headers | {"Idempotency-Key": "once"}
    repeated = await http.post(path, json=body, headers=keyed)
    assert (bare.status_code, repeated.status_code) == (409, 200)
    assert len(desk.sent) == 1


async def test_what_is_not_pending_cannot_be_decided(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    campaign_id = await records.campaign()
    body = {"resolution": "approved"}
    headers = tenant_a.admin.headers
    expired = await records.approval(campaign_id, status="expired")
    answer = await http.post(f"{URL}/{expired}/resolve", json=body, headers=headers)
    assert answer.status_code == 409
    assert desk.sent == []
    pending = await records.approval(campaign_id)
    desk.answers["resolve"] = Conflict("The approval is not pending any more.")
    answer = await http.post(f"{URL}/{pending}/resolve", json=body, headers=headers)
    assert answer.status_code == 409
    desk.answers["resolve"] = WorkflowGone(f"approval:{pending}")
    answer = await http.post(f"{URL}/{pending}/resolve", json=body, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_decision_that_is_recorded_counts_though_its_workflow_ended_unheard(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    campaign_id = await records.campaign()
    activity_id = await records.activity(campaign_id)
    approval_id = await records.approval(campaign_id, activity_id)

    async def take(command: Command) -> None:
        async with records.database.tenant(records.tenant_id) as db:
            await approvals_write.decide(db, approval_id, command.argument, datetime.now(UTC))
        raise WorkflowGone(f"approval:{approval_id}")

    desk.answers["resolve"] = take
    answer = await http.post(
        f"{URL}/{approval_id}/resolve",
        json={"resolution": "rejected", "note": "Too loud."},
        headers=tenant_a.admin.headers,
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "approvalId": approval_id,
        "resolution": "rejected",
        "reEnqueuedActivities": 1,
    }


async def test_an_expired_approval_is_asked_anew(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    campaign_id = await records.campaign()
    activity_id = await records.activity(campaign_id)
    expired = await records.approval(campaign_id, activity_id, status="expired")

    async def take(command: Command) -> None:
        await records.approval(
            campaign_id, activity_id, id=command.start.approval_id, reopens_id=expired
        )

    desk.answers["reopen"] = take
    answer = await http.post(
        f"{URL}/{expired}/reopen", json={"expiresInHours": 1}, headers=tenant_a.admin.headers
    )
    assert answer.status_code == 201
    assert answer.json()["id"] == desk.only.start.approval_id != expired
    assert answer.json()["status"] == "pending"
    assert (desk.only.start.reopens_id, desk.only.argument.expires_in_hours) == (expired, 1)


async def test_only_an_expired_approval_of_a_living_campaign_is_reopened(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    pending = await records.approval(await records.campaign())
    archived = await records.approval(await records.campaign(status="archived"), status="expired")
    expired = await records.approval(await records.campaign(), status="expired")
    headers = tenant_a.admin.headers
    assert (await http.post(f"{URL}/{pending}/reopen", headers=headers)).status_code == 409
    assert (await http.post(f"{URL}/{archived}/reopen", headers=headers)).status_code == 422
    for hours in (0, 721, "5", True):
        body = {"expiresInHours": hours}
        answer = await http.post(f"{URL}/{expired}/reopen", json=body, headers=headers)
        assert answer.status_code == 400
    assert desk.sent == []


async def test_only_admins_decide(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, desk: RecordedDesk
) -> None:
    approval_id = await records.approval(await records.campaign())
    for person in (tenant_a.member, tenant_a.reviewer):
        for path, body in (("resolve", {"resolution": "approved"}), ("reopen", {})):
            answer = await http.post(
                f"{URL}/{approval_id}/{path}", json=body, headers=person.headers
            )
            assert answer.status_code == 403
    assert desk.sent == []


async def test_approvals_of_others_are_not_there(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    foreign_records: Records,
    desk: RecordedDesk,
) -> None:
    foreign = await foreign_records.approval(await foreign_records.campaign())
    headers = tenant_a.admin.headers
    for approval_id in (foreign, new_id(), "not-an-id"):
        answers = [
            await http.get(f"{URL}/{approval_id}", headers=headers),
            await http.post(
                f"{URL}/{approval_id}/resolve", json={"resolution": "approved"}, headers=headers
            ),
            await http.post(f"{URL}/{approval_id}/reopen", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
    assert await ids(http, tenant_a) == []
    assert desk.sent == []
