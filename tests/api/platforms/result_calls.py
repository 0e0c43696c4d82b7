"""Calls for results that several tests make."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx

from tests.api.conftest import TenantPeople

FEBRUARY, MARCH = date(2025, 2, 1), date(2025, 3, 1)
Store = Callable[..., Awaitable[None]]


async def results(
    http: httpx.AsyncClient, tenant: TenantPeople, company_id: str, **query: str
) -> dict[str, Any]:
    """The results of March 2025, unless something else is asked for."""
    answer = await http.get(
        f"/api/clients/{company_id}/results",
        params={"period_end": "2025-03-31", **query},
        headers=tenant.reviewer.headers,
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def by_key(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The metrics by their keys, in the currency that comes first."""
    return {one["metric_key"]: one for one in reversed(body["metrics"])}
