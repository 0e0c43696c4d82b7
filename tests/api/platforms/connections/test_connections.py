"""Connections that are there: listed, renamed, tested, given up; and by whom."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.db.database import Database
from models.ids import new_id
from models.rules.platforms.registry import PlatformId
from models.tables.people import Notification
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.api.platforms.connections.conftest import Office
from tests.factories.clients import make_client
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk
from workers.fakes.linkedin_ads import FakeLinkedIn

META, SHOPIFY, LINKEDIN = PlatformId.META_ADS, PlatformId.SHOPIFY, PlatformId.LINKEDIN_ADS
ROUTES = [
    ("GET", "", None),
    ("POST", "", {"platform": "klaviyo", "credentials": {"api_key": "pk_abcdef0123"}}),
    ("POST", "sync", None),
    ("POST", "backfill", {"days": 30}),
    ("PATCH", "{id}", {"display_name": "Mine"}),
    ("DELETE", "{id}", None),
    ("POST", "{id}/test", None),
]


async def listed(office: Office) -> list[dict[str, Any]]:
    answer = await office.asks("GET", "")
    assert answer.status_code == 200, answer.text
    return cast(list[dict[str, Any]], answer.json()["connections"])


async def test_all_connections_are_listed_those_in_use_first(office: Office) -> None:
    assert await listed(office) == []
    early, late = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2))
    gone = await office.has(META, status="disconnected", created_at=late)
    shop = await office.has(SHOPIFY, created_at=early)
    expired = await office.has(META, status="expired", created_at=early)
    active = await office.has(META, created_at=late, last_sync_error="Meta is down.")
    found = await listed(office)
    assert [one["id"] for one in found] == [active, expired, shop, gone]
    assert [one["status"] for one in found] == ["active", "expired", "active", "disconnected"]
    assert found[0]["last_sync_error"] == "Meta is down."
    assert not any("credential" in name or "key" in name for name in found[0])


async def test_a_connection_is_renamed(office: Office, records: Records) -> None:
    id = await office.has()
    answer = await office.asks("PATCH", id, {"display_name": "Ads, Europe"})
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert (await listed(office))[0]["display_name"] == "Ads, Europe"
    (entry,) = await records.all(AuditEntry)
    assert (entry.entity_type, entry.entity_id, entry.action) == (
        "platform_connection", id, "renamed",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [{}, {"display_name": ""}, {"display_name": " "}, {"display_name": "x" * 201},
     {"display_name": None}, {"name": "x"}, {"display_name": "x", "status": "active"}],
)  # fmt: skip
async def test_a_name_must_be_one(office: Office, body: dict[str, Any]) -> None:
    id = await office.has()
    assert (await office.asks("PATCH", id, body)).status_code == 400
    assert (await listed(office))[0]["display_name"] == "Northwind Outfitters"


async def test_disconnecting_clears_the_credentials_and_twice_is_once(office: Office) -> None:
    synced_at = datetime(2026, 3, 3, tzinfo=UTC)
    id = await office.has(scopes=["ads_read"], token_expires_at=synced_at, last_synced_at=synced_at)
    for _ in range(2):
        answer = await office.asks("DELETE", id)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
    (found,) = await listed(office)
    assert (found["status"], found["scopes"], found["token_expires_at"]) == (
        "disconnected", [], None,
    )  # fmt: skip
    assert found["last_synced_at"] == "2026-03-03T00:00:00Z"
    (row,) = await office.rows()
    assert (row.sealed_credentials, row.key_id) == (None, None)
    assert await office.events() == [("client.connection_disconnected", office.person.id)]


async def test_an_expired_connection_can_be_given_up_and_the_platform_connected_again(
    office: Office, desk: RecordedDesk
) -> None:
    id = await office.has(status="expired")
    assert (await office.asks("DELETE", id)).status_code == 200
    answer = await office.connects(META)
    assert answer.status_code == 201
    assert answer.json()["connection"]["id"] != id


# Tests of stored credentials


async def test_a_test_that_passes_clears_the_error_of_the_last_sync(office: Office) -> None:
    id = await office.has(last_sync_error="Meta is down.", currency="USD")
    answer = await office.asks("POST", f"{id}/test")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "success": True,
            "account_id": office.good(META)["ad_account_id"].removeprefix("act_"),
            "display_name": "Northwind Outfitters",
        },
    )
    (row,) = await office.rows()
    assert (row.last_sync_error, row.status, row.currency) == (None, "active", "EUR")


async def test_a_rejection_expires_the_connection_and_tells_its_manager_once(
    office: Office, records: Records
) -> None:
    id = await office.has()
    office.vendor(META).faults.revoked = True
    answer = await office.asks("POST", f"{id}/test")
    assert answer.status_code == 200
    assert set(answer.json()) == {"success", "error"}
    assert answer.json()["success"] is False
    (row,) = await office.rows()
    assert (row.status, row.last_sync_error) == ("expired", answer.json()["error"])
    assert await office.events() == [("client.connection_expired", None)]
    (told,) = await records.all(Notification)
    assert (told.kind, told.principal_id, told.company_id) == (
        "client.connection_expired", office.made.admin_id, office.company_id,
    )  # fmt: skip
    assert (await office.asks("POST", f"{id}/test")).status_code == 404
    assert len(await records.all(Notification)) == 1


async def test_a_platform_that_is_down_fails_the_test_and_changes_nothing(office: Office) -> None:
    id = await office.has(last_sync_error="As before.")
    office.vendor(META).faults.errors = 1
    answer = await office.asks("POST", f"{id}/test")
    assert (answer.status_code, answer.json()["success"]) == (200, False)
    (row,) = await office.rows()
    assert (row.status, row.last_sync_error) == ("active", "As before.")
    assert await office.events() == []


async def test_a_token_about_to_end_is_renewed_before_it_is_tested(office: Office) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    id = await office.has(LINKEDIN, token_expires_at=soon)
    answer = await office.asks("POST", f"{id}/test")
    assert answer.json()["success"] is True, answer.text
    assert cast(FakeLinkedIn, office.vendor(LINKEDIN)).renewals == 1


@pytest.mark.parametrize("status", ["expired", "disconnected"])
async def test_what_is_not_active_is_not_tested(office: Office, status: str) -> None:
    id = await office.has(status=status)
    assert (await office.asks("POST", f"{id}/test")).status_code == 404
    assert office.vendor(META).calls == []


# Rights and walls


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_reviewers_look_and_members_change(
    office: Office, desk: RecordedDesk, tenant_a: TenantPeople, method: str, path: str, body: Any
) -> None:
    url = f"{office.url}/{path.format(id=await office.has())}".rstrip("/")
    answer = await office.http.request(method, url, json=body, headers=tenant_a.reviewer.headers)
    assert answer.status_code == (200 if method == "GET" else 403)
    assert (await office.http.request(method, url, json=body)).status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_another_tenant_finds_nothing_to_look_at_or_to_change(
    office: Office, desk: RecordedDesk, tenant_b: TenantPeople, method: str, path: str, body: Any
) -> None:
    id = await office.has()
    before = await office.rows()
    url = f"{office.url}/{path.format(id=id)}".rstrip("/")
    answer = await office.http.request(method, url, json=body, headers=tenant_b.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert (await office.rows(), desk.sent) == (before, [])
    assert all(not vendor.calls for vendor in office.platforms.fakes.vendors.values())


@pytest.mark.parametrize(
    ("method", "path", "body"), [route for route in ROUTES if "{id}" in route[1]]
)
async def test_a_connection_of_another_client_or_of_nobody_is_not_found(
    office: Office, method: str, path: str, body: Any
) -> None:
    id = await office.has()
    other = await make_client(office.database, office.made, "Other")
    for company, connection in [
        (other, id), (office.company_id, new_id()), (office.company_id, "sync"),
    ]:  # fmt: skip
        answer = await office.http.request(
            method, f"/api/clients/{company}/connections/{path.format(id=connection)}",
            json=body, headers=office.person.headers,
        )  # fmt: skip
        assert answer.status_code in (404, 405), answer.text
    assert [row.status for row in await office.rows()] == ["active"]


async def test_raw_sql_of_another_tenant_neither_sees_nor_makes_a_connection(
    office: Office, db: Database, tenant_b: TenantPeople
) -> None:
    id = await office.has()
    async with db.tenant(tenant_b.id) as session:
        found = await session.execute(text("select count(*) from platform_connection"))
        assert found.scalar_one() == 0
        gone = await session.execute(
            text("update platform_connection set status = 'expired' where id = :id"), {"id": id}
        )
        assert gone.rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with db.tenant(tenant_b.id) as session:
            await session.execute(
                text(
                    "insert into platform_connection (id, tenant_id, company_id, platform, status,"
                    " source, connected_at, sealed_credentials, key_id) values (:id, :tenant,"
                    " :company, 'klaviyo', 'active', 'manual', now(), 'x', 'k')"
                ),
                {"id": new_id(), "tenant": office.made.id, "company": office.company_id},
            )
