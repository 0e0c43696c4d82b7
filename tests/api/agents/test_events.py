"""The tenant's live feed over HTTP; following it is tested with the grammar."""

import httpx

from tests.api.conftest import TenantPeople


async def test_a_malformed_last_event_id_is_refused_before_the_stream(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    headers = tenant_a.reviewer.headers | {"Last-Event-ID": "yesterday"}
    answer = await http.get("/dashboard/v1/events/stream", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == "header.Last-Event-ID"


async def test_the_feed_needs_a_token(http: httpx.AsyncClient) -> None:
    answer = await http.get("/dashboard/v1/events/stream")
    assert answer.status_code == 401
