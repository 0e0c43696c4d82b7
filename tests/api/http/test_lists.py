"""The short way to a list answers like FastAPI's own."""

from typing import Any

import httpx
import pytest

from api.app import described
from api.http.lists import short_ways
from tests.api.conftest import TenantPeople

SHORT = "/dashboard/v1/probe/channels"
LONG = f"{SHORT}-checked"


async def problem(http: httpx.AsyncClient, path: str, **request: Any) -> dict[str, Any]:
    answer = await http.get(path, **request)
    return {**answer.json(), "instance": None, "status": answer.status_code}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "limit=", "limit=0&cursor=" + "x" * 501, "filter.nothing=1", "cursor=x"],
)
async def test_both_ways_refuse_alike(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str
) -> None:
    headers = tenant_a.admin.headers
    short = await problem(http, f"{SHORT}?{query}", headers=headers)
    assert short["status"] == 400
    assert short == await problem(http, f"{LONG}?{query}", headers=headers)


async def test_both_ways_ask_who_it_is(http: httpx.AsyncClient) -> None:
    short = await problem(http, SHORT)
    assert short["status"] == 401
    assert short == await problem(http, LONG)


def test_the_lists_of_a_tenant_take_the_short_way() -> None:
    app = described()
    assert set(dict(short_ways(app, app.state.routing))) == {
        "/dashboard/v1/campaigns",
        "/dashboard/v1/activities",
        "/dashboard/v1/approvals",
        "/api/clients",
        "/api/clients/companies",
    }
