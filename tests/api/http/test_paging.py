"""Pages that neither skip nor repeat, and cursors that fit one list alone."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import insert

from api.http.paging import cursor_secret
from models.db.database import Database
from models.ids import new_id
from models.settings import Settings
from models.tables.campaigns import Channel
from tests.api.conftest import TenantPeople

CHANNELS = "/dashboard/v1/probe/channels"


async def fill(db: Database, tenant: TenantPeople, count: int) -> list[str]:
    """Channels of which many share a millisecond, and some a microsecond; newest first."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "id": new_id(), "tenant_id": tenant.id, "name": str(number),
            "type": "odd" if number % 2 else "even",
            "created_on": start + timedelta(microseconds=number // 2),
        }
        for number in range(count)
    ]  # fmt: skip
    async with db.tenant(tenant.id) as session:
        await session.execute(insert(Channel), rows)
    order = sorted(rows, key=lambda row: (row["created_on"], row["id"]), reverse=True)
    return [str(row["id"]) for row in order]


async def walk(
    http: httpx.AsyncClient, tenant: TenantPeople, path: str = CHANNELS, **query: str | int
) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str | int] = {}
    while True:
        answer = await http.get(path, headers=tenant.admin.headers, params={**query, **cursor})
        page = answer.json()
        found += [row["id"] for row in page["data"]]
        assert page["pagination"]["hasMore"] is (page["pagination"]["nextCursor"] is not None)
        if not page["pagination"]["hasMore"]:
            return found
        cursor = {"cursor": page["pagination"]["nextCursor"]}


@pytest.mark.parametrize("limit", [1, 3, 7, 10, 100])
async def test_a_walk_meets_every_row_once_newest_first(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database, limit: int
):
    newest_first = await fill(db, tenant_a, 10)
    assert await walk(http, tenant_a, limit=limit) == newest_first


async def test_rows_written_straight_look_like_the_schema(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    await fill(db, tenant_a, 5)
    checked = await http.get(f"{CHANNELS}-checked", headers=tenant_a.admin.headers)
    straight = await http.get(CHANNELS, headers=tenant_a.admin.headers)
    assert straight.json() == checked.json()


async def test_the_default_is_25(http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database):
    await fill(db, tenant_a, 30)
    page = (await http.get(CHANNELS, headers=tenant_a.admin.headers)).json()
    assert (len(page["data"]), page["pagination"]["limit"]) == (25, 25)


async def test_an_empty_list_is_a_page_too(http: httpx.AsyncClient, tenant_a: TenantPeople):
    page = (await http.get(CHANNELS, headers=tenant_a.admin.headers)).json()
    empty = {"limit": 25, "nextCursor": None, "hasMore": False}
    assert page == {"data": [], "pagination": empty}


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", ""])
async def test_a_limit_out_of_bounds_is_400(
    http: httpx.AsyncClient, tenant_a: TenantPeople, limit: str
):
    answer = await http.get(f"{CHANNELS}?limit={limit}", headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (400, "query.limit")


async def next_cursor(http: httpx.AsyncClient, tenant: TenantPeople, **query: str) -> str:
    params = {"limit": "2", **query}
    page = (await http.get(CHANNELS, headers=tenant.admin.headers, params=params)).json()
    cursor = page["pagination"]["nextCursor"]
    assert isinstance(cursor, str)
    return cursor


async def refused(http: httpx.AsyncClient, tenant: TenantPeople, path: str, **query: str) -> bool:
    answer = await http.get(path, headers=tenant.admin.headers, params=query)
    if answer.status_code == 200:
        return False
    places = [item["location"] for item in answer.json()["errors"]]
    return (answer.status_code, places) == (400, ["query.cursor"])


async def test_a_cursor_fits_its_own_list_alone(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople, db: Database
):
    await fill(db, tenant_a, 10)
    cursor = await next_cursor(http, tenant_a)
    filtered = await next_cursor(http, tenant_a, **{"filter.type": "odd"})
    assert not await refused(http, tenant_a, CHANNELS, cursor=cursor, limit="5", other="ignored")
    assert await refused(http, tenant_a, CHANNELS, cursor=filtered)
    assert await refused(http, tenant_a, CHANNELS, cursor=cursor, **{"filter.type": "odd"})
    assert await refused(http, tenant_a, CHANNELS, cursor=filtered, **{"filter.type": "even"})
    assert await refused(http, tenant_a, f"{CHANNELS}-checked", cursor=cursor)
    assert await refused(http, tenant_b, CHANNELS, cursor=cursor)


async def test_a_cursor_that_was_tampered_with_is_400(
    http: httpx.AsyncClient, tenant_a: TenantPeople, db: Database
):
    await fill(db, tenant_a, 10)
    cursor = await next_cursor(http, tenant_a)
    for bad in ("", "x", "=", cursor[:-2], cursor + "A", cursor[::-1], "é", "A" * 400):
        assert await refused(http, tenant_a, CHANNELS, cursor=bad), bad


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("", None),
        ("filter.status=draft", ["draft"]),
        ("filter.status=draft,active", ["draft", "active"]),
        ("filter.status=draft&filter.status=active", ["draft", "active"]),
        ("unknown=1", None),
    ],
)
async def test_a_filter_takes_one_value_or_several(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str, statuses: list[str] | None
):
    answer = await http.get(f"/dashboard/v1/probe/filtered?{query}", headers=tenant_a.admin.headers)
    assert answer.json() == {"statuses": statuses}


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("filter.status=sleeping", "query.filter.status"),
        ("filter.status=draft,", "query.filter.status"),
        ("filter.status=DRAFT", "query.filter.status"),
        ("filter.state=draft", "query.filter.state"),
        ("filter.=1", "query.filter."),
    ],
)
async def test_a_filter_that_does_not_exist_is_400(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str, location: str
):
    answer = await http.get(f"/dashboard/v1/probe/filtered?{query}", headers=tenant_a.admin.headers)
    assert (answer.status_code, answer.json()["errors"][0]["location"]) == (400, location)


def test_the_secret_is_made_once_for_its_owner_alone(api_settings: Settings):
    first = cursor_secret(api_settings)
    file = api_settings.data_dir / "cursor_secret"
    assert cursor_secret(api_settings) == first
    assert file.stat().st_mode & 0o777 == 0o600
