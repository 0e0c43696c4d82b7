"""Searching Stripe customers over HTTP, and what can go wrong at Stripe."""

from typing import Any

import httpx
import pytest
from starlette.responses import Response

from api.http.services import Services
from models.db.database import Database
from models.db.vault import Vault
from models.ids import new_id
from tests.api.conftest import TenantPeople
from tests.api.people.stripe.calls import link, url
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client, make_company
from tests.fakes.desk import RecordedDesk
from tests.fakes.stripe import KEY, FakeStripe
from tests.fakes.stripe_account import connect
from tests.fakes.stripe_wire import html, refusal


async def test_a_search_tells_who_is_linked_already(
    http: httpx.AsyncClient,
    desk: RecordedDesk,
    fake: FakeStripe,
    tenant_a: TenantPeople,
    company_id: str,
) -> None:
    old = fake.customer("Northwind Traders", "billing@northwind.example", created=1_730_815_400)
    new = fake.customer("Northwind Two", None, currency=None, created=1_730_815_500)
    fake.customer("Contoso")
    await link(http, tenant_a, company_id, old["id"])
    answer = await http.get(
        url(company_id, "search"), params={"q": " northwind "}, headers=tenant_a.reviewer.headers
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "customers": [
            {
                "id": new["id"], "name": "Northwind Two", "email": None, "currency": None,
                "created": "2024-11-05T14:05:00Z", "linked_company_id": None,
            },
            {
                "id": old["id"], "name": "Northwind Traders",
                "email": "billing@northwind.example", "currency": "USD",
                "created": "2024-11-05T14:03:20Z", "linked_company_id": company_id,
            },
        ]
    }  # fmt: skip


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20%20", f"?q={'x' * 201}"])
async def test_a_search_needs_something_to_look_for(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company_id: str, query: str
) -> None:
    answer = await http.get(url(company_id, "search") + query, headers=tenant_a.member.headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == "query.q"


async def test_without_an_account_nothing_is_searched_or_linked(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    tenant_a: TenantPeople,
    fake: FakeStripe,
    desk: RecordedDesk,
) -> None:
    company_id = await make_client(db, made)
    headers = tenant_a.member.headers
    search = await http.get(url(company_id, "search"), params={"q": "x"}, headers=headers)
    linked = await link(http, tenant_a, company_id, "cus_1")
    assert [(one.status_code, one.json()["code"]) for one in (search, linked)] == [
        (422, "UNPROCESSABLE")
    ] * 2
    assert (fake.calls, desk.sent) == ([], [])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refusal(500), "Stripe did not answer properly (status 500)."),
        (refusal(429, headers={"Retry-After": "3"}), "Stripe did not answer properly (status 429)"),
        (html(), "Stripe did not answer properly (status 200)."),
        (refusal(401, message=f"Invalid API Key provided: {KEY}"), "Connect the account with a"),
        (refusal(403, message=f"The key {KEY} needs rak_customer_read"), "lacks rak_customer_read"),
    ],
)
async def test_what_goes_wrong_at_stripe_is_a_502_in_words_without_the_key(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    company_id: str,
    fake: FakeStripe,
    desk: RecordedDesk,
    answer: Response,
    says: str,
) -> None:
    fake.before = lambda _: answer
    search = await http.get(
        url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.member.headers
    )
    linked = await link(http, tenant_a, company_id, "cus_1")
    for one in (search, linked):
        assert (one.status_code, one.json()["code"]) == (502, "UPSTREAM_FAILED")
        assert says in one.json()["detail"]
        assert "PlantedSecret" not in one.text
        assert one.headers.get("retry-after") == answer.headers.get("retry-after")
    assert desk.sent == []


async def test_stripe_out_of_reach_is_a_502(
    http: httpx.AsyncClient, services: Services, tenant_a: TenantPeople, company_id: str
) -> None:
    billing: Any = services.stripe._billing
    billing._base_url = "http://127.0.0.1:9"
    answer = await http.get(
        url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.member.headers
    )
    assert answer.status_code == 502
    assert "could not be reached" in answer.json()["detail"]


async def test_a_key_that_cannot_be_opened_is_an_outage_of_ours(
    http: httpx.AsyncClient, db: Database, made: TenantMade, tenant_a: TenantPeople
) -> None:
    await connect(db, made.id, Vault([b"x" * 32]))
    company_id = await make_client(db, made)
    answer = await link(http, tenant_a, company_id, "cus_1")
    assert answer.status_code == 503
    assert "not configured" in answer.json()["detail"]


async def test_no_connection_of_the_database_is_held_while_stripe_is_asked(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, company_id: str, fake: FakeStripe
) -> None:
    seen = []
    fake.before = lambda _: seen.append(db._engine.pool.checkedout())  # type: ignore[attr-defined]
    await http.get(
        url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.member.headers
    )
    await link(http, tenant_a, company_id, "cus_1")
    assert seen == [0, 0]


async def test_a_company_that_is_no_client_of_the_tenant_is_not_found(
    http: httpx.AsyncClient,
    db: Database,
    made: TenantMade,
    kept: Vault,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    company_id: str,
    fake: FakeStripe,
) -> None:
    await connect(db, tenant_b.id, kept)
    unpromoted = await make_company(db, made)
    asked = [
        (company_id, tenant_b), (unpromoted, tenant_a), (new_id(), tenant_a), ("x", tenant_a),
    ]  # fmt: skip
    for one, people in asked:
        headers = people.member.headers
        body = {"stripe_customer_id": "cus_1"}
        answers = [
            await http.get(url(one, "search"), params={"q": "abc"}, headers=headers),
            await http.post(url(one), json=body, headers=headers),
            await http.delete(url(one), headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
    assert fake.calls == []
