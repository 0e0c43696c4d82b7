"""Deliverables over HTTP."""

from datetime import UTC, datetime, timedelta

import httpx

from tests.api.conftest import TenantPeople
from tests.factories.records import Records

BASE = "/dashboard/v1"


async def test_periods_that_have_begun_show_their_progress_oldest_first(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    second = await records.deliverable(campaign_id, position=1, type="ad_copy")
    first = await records.deliverable(campaign_id)
    today = datetime.now(UTC).date()
    spans = ((-60, -31), (-30, -1), (0, 29), (30, 59))
    periods = [
        await records.period(
            campaign_id,
            first,
            number=number,
            period_start=today + timedelta(days=start),
            period_end=today + timedelta(days=end),
        )
        for number, (start, end) in enumerate(spans)
    ]
    for status in ("done", "done", "failed"):
        await records.activity(
            campaign_id, status=status, deliverable_id=first, period_id=periods[0]
        )
    await records.activity(
        campaign_id, status="in_progress", deliverable_id=first, period_id=periods[1]
    )
    answer = await http.get(
        f"{BASE}/campaigns/{campaign_id}/deliverables", headers=tenant_a.reviewer.headers
    )
    assert answer.status_code == 200
    shown = answer.json()["data"]
    assert [deliverable["id"] for deliverable in shown] == [first, second]
    assert [
        (period["id"], period["completed"], period["inProgress"], period["status"])
        for period in shown[0]["periods"]
    ] == [
        (periods[0], 2, 0, "completed"),
        (periods[1], 0, 1, "missed"),
        (periods[2], 0, 0, "on_track"),
    ]
    assert shown[1]["periods"] == []


async def test_a_deliverable_lists_its_activities_by_status(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    campaign_id = await records.campaign()
    deliverable_id = await records.deliverable(campaign_id)
    other = await records.deliverable(campaign_id, position=1)
    done, failed, created = [
        await records.activity(campaign_id, status=status, deliverable_id=deliverable_id)
        for status in ("done", "failed", "created")
    ]
    await records.activity(campaign_id, status="done", deliverable_id=other)
    url = f"{BASE}/deliverables/{deliverable_id}/activities"
    listed = await http.get(url, headers=tenant_a.member.headers)
    assert [one["id"] for one in listed.json()["data"]] == [created, failed, done]
    filtered = await http.get(
        f"{url}?filter.status=done,created&limit=1", headers=tenant_a.member.headers
    )
    assert [one["id"] for one in filtered.json()["data"]] == [created]
    assert filtered.json()["pagination"]["hasMore"] is True


async def test_deliverables_of_others_are_not_there(
    http: httpx.AsyncClient, tenant_a: TenantPeople, foreign_records: Records
) -> None:
    foreign = await foreign_records.deliverable(await foreign_records.campaign())
    answer = await http.get(
        f"{BASE}/deliverables/{foreign}/activities", headers=tenant_a.admin.headers
    )
    assert answer.status_code == 404
