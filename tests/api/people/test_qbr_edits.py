"""Editing a QBR over HTTP: what changes, what stays, what is refused."""

from typing import Any

import httpx
import pytest

from models.tables.clients_reviews import Qbr
from tests.api.conftest import TenantPeople
from tests.api.people.qbr_calls import (
    CONTENT,
    HIDDEN,
    SECTIONS,
    client_of,
    edited,
    events_of,
    located,
    recorded,
)
from tests.factories.records import Records


async def test_an_edit_changes_what_is_sent_and_names_it_in_the_history(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a), summary="Good.")
    patch = {"outcomes": "More search.", "content": CONTENT, "summary": "Good."}
    answer = await edited(http, tenant_a, qbr, patch)
    assert answer.status_code == 200, answer.text
    after = answer.json()["qbr"]
    assert after == {**qbr, **patch, "updated_at": after["updated_at"]}
    *_, event = await events_of(records)
    assert event.event_type == "client.qbr_updated"
    assert event.details == {"qbr_id": qbr["id"], "changed": ["content", "outcomes"]}


async def test_what_is_there_already_is_no_change(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a), summary="Good.")
    patch = {"content": CONTENT, "portal_visibility": {"visible": True}}
    first = (await edited(http, tenant_a, qbr, patch)).json()
    before = await records.all(Qbr)
    repeats: list[dict[str, Any]] = [
        patch,
        {"summary": "Good.", "outcomes": None},
        {"portal_visibility": {}},
        {"portal_visibility": {"sections": {"wins": True}}},
    ]
    for repeat in repeats:
        assert (await edited(http, tenant_a, qbr, repeat)).json() == first
    assert await records.all(Qbr) == before
    kinds = [event.event_type for event in await events_of(records)]
    assert kinds.count("client.qbr_updated") == 1


async def test_null_clears_the_texts_and_the_content(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(
        http, tenant_a, await client_of(records, tenant_a), summary="Good.", outcomes="More."
    )
    await edited(http, tenant_a, qbr, {"content": CONTENT})
    nothing = {"summary": None, "outcomes": None, "content": None}
    after = (await edited(http, tenant_a, qbr, nothing)).json()["qbr"]
    assert {name: after[name] for name in nothing} == nothing


async def test_the_content_is_replaced_whole(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    await edited(http, tenant_a, qbr, {"content": CONTENT})
    shorter = {**CONTENT, "wins": [], "discussion_points": ["x"] * 50}
    after = (await edited(http, tenant_a, qbr, {"content": shorter})).json()["qbr"]
    assert after["content"] == shorter


async def test_the_visibility_is_merged_key_by_key(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    await edited(http, tenant_a, qbr, {"portal_visibility": {"visible": True}})
    answer = await edited(http, tenant_a, qbr, {"portal_visibility": {"sections": {"wins": False}}})
    assert answer.json()["qbr"]["portal_visibility"] == {
        "visible": True,
        "sections": {name: name not in HIDDEN | {"wins"} for name in SECTIONS},
    }


@pytest.mark.parametrize(
    ("patch", "where"),
    [
        ({}, ["body"]),
        ({"status": "presented"}, ["body.status"]),
        ({"attendees": []}, ["body.attendees"]),
        ({"summary": "x" * 20_001}, ["body.summary"]),
        ({"content": "text"}, ["body.content"]),
        ({"content": {**CONTENT, "version": 2}}, ["body.content.version"]),
        ({"content": {**CONTENT, "mood": "good"}}, ["body.content.mood"]),
        ({"content": {**CONTENT, "wins": [{"title": "x"}]}}, ["body.content.wins.0.detail"]),
        ({"content": {**CONTENT, "wins": None}}, ["body.content.wins"]),
        (
            {"content": {**CONTENT, "discussion_points": ["x"] * 51}},
            ["body.content.discussion_points"],
        ),
        (
            {"content": {**CONTENT, "period": {"start": "2026-13-01", "end": "2026-03-10"}}},
            ["body.content.period.start"],
        ),
        (
            {
                "content": {
                    **CONTENT,
                    "recommendations": [
                        {"title": "x", "rationale": "x", "priority": "urgent", "owner": "nobody"}
                    ],
                }
            },
            ["body.content.recommendations.0.priority", "body.content.recommendations.0.owner"],
        ),
        (
            {
                "content": {
                    **CONTENT,
                    "performance": [{**CONTENT["performance"][0], "value": 10**400, "target": "4"}],
                }
            },
            ["body.content.performance.0.value", "body.content.performance.0.target"],
        ),
        (
            {"content": {name: CONTENT[name] for name in CONTENT if name != "goals"}},
            ["body.content.goals"],
        ),
        ({"portal_visibility": None}, ["body.portal_visibility"]),
        ({"portal_visibility": {"hidden": True}}, ["body.portal_visibility.hidden"]),
        ({"portal_visibility": {"visible": "yes"}}, ["body.portal_visibility.visible"]),
        ({"portal_visibility": {"visible": None}}, ["body.portal_visibility.visible"]),
        (
            {"portal_visibility": {"sections": {"mood": True}}},
            ["body.portal_visibility.sections.mood"],
        ),
    ],
)
async def test_an_edit_that_does_not_validate_changes_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    patch: dict[str, Any],
    where: list[str],
) -> None:
    qbr = await recorded(http, tenant_a, await client_of(records, tenant_a))
    before = await records.all(Qbr)
    assert located(await edited(http, tenant_a, qbr, patch)) == where
    assert await records.all(Qbr) == before
