"""The contacts of a company over HTTP."""

from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.tables.companies import Contact
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.factories.records import Records

URL = "/api/clients/companies"


@pytest.fixture
async def company(http: httpx.AsyncClient, tenant_a: TenantPeople) -> str:
    answer = await http.post(URL, json={"name": "Acme"}, headers=tenant_a.member.headers)
    return f"{URL}/{answer.json()['company']['id']}/contacts"


async def add(
    http: httpx.AsyncClient, people: TenantPeople, url: str, **body: Any
) -> dict[str, Any]:
    answer = await http.post(url, json=body, headers=people.member.headers)
    assert answer.status_code == 201, answer.text
    contact: dict[str, Any] = answer.json()["contact"]
    return contact


async def patch(
    http: httpx.AsyncClient, people: TenantPeople, url: str, contact_id: str, **body: Any
) -> httpx.Response:
    return await http.patch(f"{url}/{contact_id}", json=body, headers=people.member.headers)


async def listed(
    http: httpx.AsyncClient, people: TenantPeople, url: str, **query: Any
) -> list[dict[str, Any]]:
    answer = await http.get(url, params=query, headers=people.reviewer.headers)
    contacts: list[dict[str, Any]] = answer.json()["contacts"]
    return contacts


async def test_a_contact_is_added_with_everything_that_is_known(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str, records: Records
) -> None:
    body = {"name": "Bo", "email": "BO@acme.com", "phone": "030 1", "title": "CFO"}
    made = await add(http, tenant_a, company, **body)
    assert made["company_id"] == company.split("/")[-2]
    assert {name: made[name] for name in body} == body | {"email": "bo@acme.com"}
    assert (made["is_primary"], made["archived"], made["last_interaction_at"]) == (
        False, False, None,
    )  # fmt: skip
    assert await listed(http, tenant_a, company) == [made]
    entry = (await records.all(AuditEntry))[-1]
    assert (entry.entity_type, entry.entity_id, entry.action, entry.actor_id) == (
        "contact", made["id"], "created", tenant_a.member.id,
    )  # fmt: skip


async def test_the_primary_contact_comes_first_and_there_is_but_one(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str
) -> None:
    first = await add(http, tenant_a, company, name="Cy", is_primary=True)
    await add(http, tenant_a, company, name="Bo")
    last = await add(http, tenant_a, company, name="Di", is_primary=True)

    async def shown() -> list[tuple[str, bool]]:
        rows = await listed(http, tenant_a, company)
        return [(row["name"], row["is_primary"]) for row in rows]

    assert await shown() == [("Di", True), ("Bo", False), ("Cy", False)]
    await patch(http, tenant_a, company, first["id"], is_primary=True)
    assert await shown() == [("Cy", True), ("Bo", False), ("Di", False)]
    await patch(http, tenant_a, company, first["id"], is_primary=False)
    assert not any(is_primary for _, is_primary in await shown())
    assert last["is_primary"] is True


async def test_a_contact_is_changed_and_null_clears(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str, records: Records
) -> None:
    made = await add(http, tenant_a, company, name="Bo", email="bo@acme.com", title="CFO")
    answer = await patch(
        http, tenant_a, company, made["id"], name="Bob", email=None, phone="1", title="CFO"
    )
    changed = answer.json()["contact"]
    assert (changed["name"], changed["email"], changed["phone"], changed["title"]) == (
        "Bob", None, "1", "CFO",
    )  # fmt: skip
    entry = (await records.all(AuditEntry))[-1]
    assert (entry.entity_type, entry.action) == ("contact", "updated")
    assert entry.changes == {
        "name": {"from": "Bo", "to": "Bob"},
        "email": {"from": "bo@acme.com", "to": None},
        "phone": {"from": None, "to": "1"},
    }
    again = await patch(http, tenant_a, company, made["id"], name="Bob")
    assert again.json()["contact"] == changed
    assert (await records.all(AuditEntry))[-1].id == entry.id


async def test_an_archived_contact_is_put_away_and_no_longer_primary(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str
) -> None:
    made = await add(http, tenant_a, company, name="Bo", is_primary=True)
    answer = await patch(http, tenant_a, company, made["id"], archived=True)
    assert (answer.json()["contact"]["archived"], answer.json()["contact"]["is_primary"]) == (
        True, False,
    )  # fmt: skip
    assert await listed(http, tenant_a, company) == []
    assert [row["id"] for row in await listed(http, tenant_a, company, include_archived=True)] == [
        made["id"]
    ]
    refused = await patch(http, tenant_a, company, made["id"], is_primary=True)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["location"] == "body.is_primary"
    back = await patch(http, tenant_a, company, made["id"], archived=False, is_primary=True)
    assert (back.json()["contact"]["archived"], back.json()["contact"]["is_primary"]) == (
        False, True,
    )  # fmt: skip


async def test_an_address_is_in_a_company_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str
) -> None:
    made = await add(http, tenant_a, company, name="Bo", email="bo@acme.com")
    other = await add(http, tenant_a, company, name="Cy")
    again = await http.post(
        company, json={"name": "B", "email": "BO@acme.com"}, headers=tenant_a.member.headers
    )
    moved = await patch(http, tenant_a, company, other["id"], email="bo@acme.com")
    for answer in (again, moved):
        assert answer.status_code == 409
        (item,) = answer.json()["errors"]
        assert item["location"] == "body.email"
        assert made["id"] in item["message"]
    assert (await patch(http, tenant_a, company, made["id"], email="BO@acme.com")).is_success


async def test_contacts_come_in_pages(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str
) -> None:
    for name in "CAB":
        await add(http, tenant_a, company, name=name)
    answer = await http.get(f"{company}?page=2&per_page=2", headers=tenant_a.reviewer.headers)
    page = answer.json()
    assert [contact["name"] for contact in page["contacts"]] == ["C"]
    assert (page["total"], page["page"], page["pages"]) == (3, 2, 2)


async def test_adding_a_contact_twice_with_one_key_adds_it_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str, records: Records
) -> None:
    headers = {**tenant_a.member.headers, "Idempotency-Key": "bo"}
    answers = [await http.post(company, json={"name": "Bo"}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await records.count(Contact) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": None},
        {"name": "Bo", "phone": "1" * 51},
        {"name": "Bo", "title": " "},
        {"name": "Bo", "email": "bo"},
        {"name": "Bo", "is_primary": None},
        {"name": "Bo", "company_id": "01K9CMP0000000000000000001"},
    ],
)
async def test_a_contact_that_does_not_validate_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str, body: dict[str, Any]
) -> None:
    made = await add(http, tenant_a, company, name="Cy")
    added = await http.post(company, json=body, headers=tenant_a.member.headers)
    assert added.status_code == 400
    if body != {"name": "Bo"}:
        assert (await patch(http, tenant_a, company, made["id"], **body)).status_code == 400


async def test_contacts_of_others_and_of_other_companies_are_not_found(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople, company: str
) -> None:
    made = await add(http, tenant_a, company, name="Bo")
    answer = await http.post(URL, json={"name": "Beta"}, headers=tenant_a.member.headers)
    other = f"{URL}/{answer.json()['company']['id']}/contacts"
    theirs = tenant_b.admin.headers
    answers = [
        await http.get(company, headers=theirs),
        await http.post(company, json={"name": "X"}, headers=theirs),
        await http.patch(f"{company}/{made['id']}", json={"name": "X"}, headers=theirs),
        await patch(http, tenant_a, other, made["id"], name="X"),
        await patch(http, tenant_a, company, new_id(), name="X"),
        await patch(http, tenant_a, company, "x", name="X"),
        await http.get(f"{URL}/{new_id()}/contacts", headers=tenant_a.admin.headers),
    ]
    assert [answer.status_code for answer in answers] == [404] * 7


async def test_reviewers_read_contacts_and_do_not_write_them(
    http: httpx.AsyncClient, tenant_a: TenantPeople, company: str
) -> None:
    made = await add(http, tenant_a, company, name="Bo")
    headers = tenant_a.reviewer.headers
    answers = [
        await http.post(company, json={"name": "X"}, headers=headers),
        await http.patch(f"{company}/{made['id']}", json={"name": "X"}, headers=headers),
        await http.get(company, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 200]
