"""QBRs over HTTP: recorded, listed and read. Editing and presenting have files of their own."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.queries.people.qbrs_write import NewQbr, insert_qbr
from models.rules.clients.qbr_dates import after_cadence
from models.rules.clients.vocabulary import QbrStatus, Tier
from models.tables.clients import AdoptionWeek, HistoryEvent
from models.tables.clients_reviews import Qbr
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople, made
from tests.api.people.qbr_calls import (
    CONTENT,
    HIDDEN,
    SECTIONS,
    TODAY,
    client_of,
    dates_of,
    days,
    events_of,
    located,
    recorded,
)
from tests.factories.clients import make_company
from tests.factories.records import NOON, Records


async def test_a_qbr_that_was_held_is_recorded_with_all_that_was_said(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    qbr = await recorded(
        http, tenant_a, company_id,
        date=days(-3), attendees=["Mara", "Jo"], summary="Good.", outcomes="More search.",
        next_qbr_date=days(80), granola_meeting_id="not-one-of-ours",
    )  # fmt: skip
    moments = {name: qbr.pop(name) for name in ("created_at", "updated_at")}
    assert all(len(moment) == len("2026-03-10T09:00:00Z") for moment in moments.values())
    assert qbr == {
        "id": qbr["id"],
        "company_id": company_id,
        "date": days(-3),
        "status": "recorded",
        "attendees": ["Mara", "Jo"],
        "summary": "Good.",
        "outcomes": "More search.",
        "next_qbr_date": days(80),
        "granola_meeting_id": "not-one-of-ours",
        "content": None,
        "source_data": None,
        "portal_visibility": {
            "visible": False,
            "sections": {name: name not in HIDDEN for name in SECTIONS},
        },
        "presented_at": None,
        "presented_by": None,
        "created_by": tenant_a.member.id,
    }
    assert await dates_of(records) == (days(-3), days(80))


async def test_recording_leaves_its_event_one_for_each_date_and_marks_the_week(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    qbr = await recorded(http, tenant_a, company_id)
    events = await events_of(records)
    assert [event.event_type for event in events] == [
        "client.qbr_recorded",
        "client.next_qbr_date_changed",
        "client.last_qbr_date_changed",
    ]
    assert events[0].details == {"qbr_id": qbr["id"], "date": days(0), "status": "recorded"}
    assert {event.actor_id for event in events} == {tenant_a.member.id}
    assert await records.count(AdoptionWeek) == 1
    entries = [one for one in await records.all(AuditEntry) if one.entity_type == "client"]
    assert [entry.action for entry in entries] == ["qbr_recorded"]


@pytest.mark.parametrize(
    ("held", "last", "following", "then"),
    [
        (-10, None, None, (-10, "cadence")),
        (-10, -5, 40, (-5, 40)),
        (-10, -20, -1, (-10, -1)),
        (0, -20, -1, (0, "cadence")),
        (30, -20, 10, (-20, 30)),
        (30, None, None, (None, 30)),
    ],
)
async def test_the_dates_of_the_client_move_by_the_rules(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    held: int,
    last: int | None,
    following: int | None,
    then: tuple[int | None, int | str],
) -> None:
    company_id = await client_of(
        records, tenant_a,
        tier=Tier.PLATINUM,
        last_qbr_date=None if last is None else TODAY + timedelta(days=last),
        next_qbr_date=None if following is None else TODAY + timedelta(days=following),
    )  # fmt: skip
    qbr = await recorded(http, tenant_a, company_id, date=days(held))
    assert qbr["status"] == ("recorded" if held <= 0 else "draft")
    new_last, new_next = then
    if new_next == "cadence":
        assert new_last is not None
        due = after_cadence(TODAY + timedelta(days=new_last), Tier.PLATINUM).isoformat()
    else:
        due = days(int(new_next))
    assert await dates_of(records) == (None if new_last is None else days(new_last), due)


async def test_the_next_date_that_is_sent_counts_before_that_of_a_planned_qbr(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    await recorded(http, tenant_a, company_id, date=days(30), next_qbr_date=days(120))
    assert await dates_of(records) == (None, days(120))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["body.date"]),
        ({"date": None}, ["body.date"]),
        ({"date": "2026-02-30"}, ["body.date"]),
        ({"date": "2026-02-03T10:00:00Z"}, ["body.date"]),
        ({"date": days(0), "next_qbr_date": days(0)}, ["body.next_qbr_date"]),
        ({"date": days(0), "next_qbr_date": days(-1)}, ["body.next_qbr_date"]),
        ({"date": days(0), "attendees": None}, ["body.attendees"]),
        ({"date": days(0), "attendees": [""]}, ["body.attendees.0"]),
        ({"date": days(0), "attendees": [7]}, ["body.attendees.0"]),
        ({"date": days(0), "attendees": ["x"] * 101}, ["body.attendees"]),
        ({"date": days(0), "summary": "x" * 20_001}, ["body.summary"]),
        ({"date": days(0), "outcomes": "x" * 20_001}, ["body.outcomes"]),
        ({"date": days(0), "granola_meeting_id": "x" * 201}, ["body.granola_meeting_id"]),
        ({"date": days(0), "status": "presented"}, ["body.status"]),
    ],
)
async def test_a_qbr_that_does_not_validate_leaves_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    body: dict[str, Any],
    where: list[str],
) -> None:
    company_id = await client_of(records, tenant_a)
    answer = await http.post(
        f"/api/clients/{company_id}/qbrs", json=body, headers=tenant_a.member.headers
    )
    assert located(answer) == where
    assert (await records.count(Qbr), await records.count(HistoryEvent)) == (0, 0)


async def test_a_repeat_with_the_same_key_records_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    headers = {**tenant_a.member.headers, "Idempotency-Key": "held-in-march"}
    url = f"/api/clients/{company_id}/qbrs"
    first = await http.post(url, json={"date": days(0)}, headers=headers)
    second = await http.post(url, json={"date": days(0)}, headers=headers)
    other = await http.post(url, json={"date": days(-1)}, headers=headers)
    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 409)
    assert first.json() == second.json()
    assert await records.count(Qbr) == 1


async def test_the_list_is_newest_first_and_leaves_out_what_a_qbr_was_made_of(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    other = await client_of(records, tenant_a, name="Other")
    ids = [
        (await recorded(http, tenant_a, company_id, date=day))["id"]
        for day in (days(-40), days(-5), days(-40), days(20))
    ]
    await recorded(http, tenant_a, other)
    answer = await http.get(f"/api/clients/{company_id}/qbrs", headers=tenant_a.reviewer.headers)
    assert answer.status_code == 200
    listed = answer.json()["qbrs"]
    assert [qbr["id"] for qbr in listed] == [ids[3], ids[1], ids[2], ids[0]]
    assert set(listed[0]) == {
        "id", "company_id", "date", "status", "attendees", "summary", "outcomes", "next_qbr_date",
        "granola_meeting_id", "presented_at", "created_at", "updated_at",
    }  # fmt: skip


async def test_a_client_without_qbrs_has_an_empty_list(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    answer = await http.get(f"/api/clients/{company_id}/qbrs", headers=tenant_a.member.headers)
    assert answer.json() == {"qbrs": []}


async def test_a_prepared_qbr_is_shown_with_its_content_and_its_sources(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    company_id = await client_of(records, tenant_a)
    source = {
        "kind": "ai", "since": "2025-12-10", "until": "2026-03-10", "last_qbr_id": None,
        "metrics": [{"key": "roas", "value": 4.35}], "insight_id": None,
        "goals": [{"metric": "roas"}], "win_ids": [new_id()],
        "meetings": [{"id": new_id(), "title": "Call", "date": "2026-03-01"}],
        "health_scores": [{"score": 71.5, "created_at": "2026-03-01T08:00:00Z"}],
        "history_event_ids": [], "project_ids": [], "model": None, "prompt_version": None,
        "input_hash": "ab12", "generated_at": "2026-03-10T09:00:00Z",
    }  # fmt: skip
    prepared = NewQbr(
        id=new_id(), tenant_id=tenant_a.id, company_id=company_id, held_on=date(2026, 3, 10),
        status=QbrStatus.DRAFT, created_by=None, created_at=NOON, summary="Revenue grew.",
        content=CONTENT, source_data=source,
    )  # fmt: skip
    async with records.database.tenant(tenant_a.id) as db:
        stored = [await insert_qbr(db, prepared) for _ in range(2)]
    assert stored == [True, False]
    answer = await http.get(
        f"/api/clients/{company_id}/qbr/{prepared.id}", headers=tenant_a.reviewer.headers
    )
    assert answer.status_code == 200, answer.text
    shown = answer.json()["qbr"]
    assert (shown["content"], shown["source_data"]) == (CONTENT, source)
    assert (shown["status"], shown["created_by"], shown["created_at"]) == (
        "draft", None, "2026-03-02T12:00:00Z",
    )  # fmt: skip


async def test_reviewers_read_and_change_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    url, headers = f"/api/clients/{qbr['company_id']}", tenant_a.reviewer.headers
    refused = [
        await http.post(f"{url}/qbrs", json={"date": days(0)}, headers=headers),
        await http.patch(f"{url}/qbr/{qbr['id']}", json={"summary": "x"}, headers=headers),
        await http.post(f"{url}/qbr/{qbr['id']}/present", headers=headers),
    ]
    assert [answer.status_code for answer in refused] == [403] * 3
    shown = await http.get(f"{url}/qbr/{qbr['id']}", headers=headers)
    assert shown.json()["qbr"] == qbr


async def test_what_is_not_the_clients_is_not_found(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    other = await client_of(records, tenant_a, name="Other")
    company = await make_company(records.database, made(tenant_a), "No client")
    mine, theirs = tenant_a.member.headers, tenant_b.admin.headers
    for company_id, qbr_id, headers in [
        (qbr["company_id"], qbr["id"], theirs),
        (other, qbr["id"], mine),
        (company, qbr["id"], mine),
        (new_id(), qbr["id"], mine),
        (qbr["company_id"], new_id(), mine),
        (qbr["company_id"], "nothing", mine),
    ]:
        url = f"/api/clients/{company_id}/qbr/{qbr_id}"
        answers = [
            await http.get(url, headers=headers),
            await http.patch(url, json={"summary": "x"}, headers=headers),
            await http.post(f"{url}/present", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
    for company_id, headers in [(qbr["company_id"], theirs), (company, mine), ("no", mine)]:
        url = f"/api/clients/{company_id}/qbrs"
        answers = [
            await http.get(url, headers=headers),
            await http.post(url, json={"date": days(0)}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 2
    assert await records.count(Qbr) == 1
