"""Companies over HTTP: made, listed, shown and changed."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from models.ids import new_id
from models.queries.people import client_profiles
from models.tables.clients import Client
from models.tables.companies import Company, Contact
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.factories.records import Records

URL = "/api/clients/companies"


async def make(http: httpx.AsyncClient, people: TenantPeople, **body: Any) -> dict[str, Any]:
    answer = await http.post(URL, json={"name": "Acme", **body}, headers=people.member.headers)
    assert answer.status_code == 201, answer.text
    company: dict[str, Any] = answer.json()["company"]
    return company


async def refused(
    http: httpx.AsyncClient, people: TenantPeople, status: int, **body: Any
) -> dict[str, Any]:
    answer = await http.post(URL, json={"name": "Acme", **body}, headers=people.member.headers)
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    return problem


async def make_client_of(records: Records, company_id: str) -> None:
    rows = await records.all(Company)
    key = next(row.name_key for row in rows if row.id == company_id)
    await records.insert(Client, id=new_id(), company_id=company_id, name_key=key, status="active")


async def test_a_company_is_made_with_its_contacts(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    contacts = [
        {"name": "Bo"},
        {"name": " Ines  Vogt ", "email": "Ines@Acme.COM", "phone": "030 1", "title": "CMO",
         "is_primary": True},
    ]  # fmt: skip
    made = await make(http, tenant_a, name=" Acme  Ltd ", website="Acme.com", contacts=contacts)
    assert (made["name"], made["website"]) == ("Acme Ltd", "https://acme.com")
    assert (made["parent_company_id"], made["is_client"], made["contacts_count"]) == (
        None, False, 2,
    )  # fmt: skip
    first, second = made["contacts"]
    assert (first["name"], first["email"], first["is_primary"], first["archived"]) == (
        "Ines Vogt", "ines@acme.com", True, False,
    )  # fmt: skip
    assert (second["name"], second["email"], second["title"]) == ("Bo", None, None)
    shown = await http.get(f"{URL}/{made['id']}", headers=tenant_a.reviewer.headers)
    assert shown.json() == {"company": made}
    entries = await records.all(AuditEntry)
    assert sorted((entry.entity_type, entry.action) for entry in entries) == [
        ("company", "created"), ("contact", "created"), ("contact", "created"),
    ]  # fmt: skip


async def test_a_name_is_taken_once_whatever_its_case(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople
) -> None:
    made = await make(http, tenant_a, name="ÄCME")
    problem = await refused(http, tenant_a, 409, name="äcme")
    (item,) = problem["errors"]
    assert item["location"] == "body.name"
    assert made["id"] in item["message"]
    await make(http, tenant_b, name="äcme")


async def test_of_two_that_make_a_company_at_once_one_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    headers = tenant_a.member.headers
    answers = await asyncio.gather(
        *(http.post(URL, json={"name": name}, headers=headers) for name in ("Acme", "ACME"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await records.count(Company) == 1


async def test_groups_are_one_level_deep(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople
) -> None:
    parent = await make(http, tenant_a, name="Parent")
    child = await make(http, tenant_a, name="Child", parent_company_id=parent["id"])
    assert child["parent_company_id"] == parent["id"]
    foreign = await make(http, tenant_b, name="Foreign")
    for wrong in (child["id"], foreign["id"], new_id(), "x"):
        problem = await refused(http, tenant_a, 422, name="Third", parent_company_id=wrong)
        assert [item["location"] for item in problem["errors"]] == ["body.parent_company_id"]
    other = await make(http, tenant_a, name="Other")
    for company, wrong in ((parent, other["id"]), (other, child["id"]), (other, other["id"])):
        answer = await http.patch(
            f"{URL}/{company['id']}",
            json={"parent_company_id": wrong},
            headers=tenant_a.member.headers,
        )
        assert answer.status_code == 422, answer.text
    freed = await http.patch(
        f"{URL}/{child['id']}", json={"parent_company_id": None}, headers=tenant_a.member.headers
    )
    assert freed.json()["company"]["parent_company_id"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"name": ""},
        {"name": " \t "},
        {"name": "a" * 201},
        {"name": 7},
        {"website": "ftp://acme.com"},
        {"website": "acme"},
        {"website": ""},
        {"sector": "steel"},
        {"contacts": None},
        {"contacts": [{"name": "A"}] * 51},
        {"contacts": [{"name": " "}]},
        {"contacts": [{"email": "a@b.de"}]},
        {"contacts": [{"name": "A", "email": "a@b"}]},
        {"contacts": [{"name": "A", "is_primary": "yes"}]},
        {"contacts": [{"name": "A", "archived": True}]},
        {"contacts": [{"name": "A", "is_primary": True}, {"name": "B", "is_primary": True}]},
        {"contacts": [{"name": "A", "email": "a@b.de"}, {"name": "B", "email": "A@b.de"}]},
    ],
)
async def test_a_body_that_does_not_validate_makes_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, body: dict[str, Any]
) -> None:
    problem = await refused(http, tenant_a, 400, **body)
    assert problem["errors"][0]["location"].startswith("body.")
    assert await records.count(Company) == 0


async def test_making_a_company_twice_with_one_key_makes_it_once(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    headers = {**tenant_a.member.headers, "Idempotency-Key": "acme"}
    body = {"name": "Acme", "contacts": [{"name": "Bo"}]}
    answers = [await http.post(URL, json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert (await records.count(Company), await records.count(Contact)) == (1, 1)


async def test_companies_are_listed_by_name_and_found_by_a_part_of_it(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople, records: Records
) -> None:
    for name in ("beta", "Alpha 100%", "Ärzte", "alphabet"):
        made = await make(http, tenant_a, name=name)
    await make_client_of(records, made["id"])
    await make(http, tenant_b, name="Alpha of B")
    headers = tenant_a.reviewer.headers

    async def names(**query: Any) -> list[str]:
        answer = await http.get(URL, params=query, headers=headers)
        return [company["name"] for company in answer.json()["companies"]]

    assert await names() == ["Alpha 100%", "alphabet", "beta", "Ärzte"]
    assert await names(search=" ALPHA ") == ["Alpha 100%", "alphabet"]
    assert await names(search="0%") == ["Alpha 100%"]
    assert await names(search="ärz") == ["Ärzte"]
    assert await names(search=" ") == await names()
    assert await names(is_client="true") == ["alphabet"]
    assert await names(is_client="false", search="alpha") == ["Alpha 100%"]
    page = (await http.get(URL, params={"page": 2, "per_page": 3}, headers=headers)).json()
    assert [company["name"] for company in page["companies"]] == ["Ärzte"]
    assert (page["total"], page["page"], page["pages"]) == (4, 2, 2)
    beyond = (await http.get(URL, params={"page": 9}, headers=headers)).json()
    assert (beyond["companies"], beyond["total"], beyond["pages"]) == ([], 4, 1)


async def test_the_list_shows_what_a_company_is(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    made = await make(http, tenant_a, contacts=[{"name": "Bo"}, {"name": "Cy"}])
    await make_client_of(records, made["id"])
    gone = made["contacts"][0]["id"]
    await http.patch(
        f"{URL}/{made['id']}/contacts/{gone}",
        json={"archived": True},
        headers=tenant_a.member.headers,
    )
    (item,) = (await http.get(URL, headers=tenant_a.reviewer.headers)).json()["companies"]
    expected = {name: value for name, value in made.items() if name != "contacts"}
    assert item == expected | {"is_client": True, "contacts_count": 1}


@pytest.mark.parametrize(
    "query", ["page=0", "per_page=201", "is_client=maybe", "search=" + "a" * 201]
)
async def test_a_query_out_of_range_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str
) -> None:
    answer = await http.get(f"{URL}?{query}", headers=tenant_a.reviewer.headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["location"] == f"query.{query.split('=')[0]}"


async def test_a_new_name_is_the_clients_too(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    made = await make(http, tenant_a)
    await make_client_of(records, made["id"])
    answer = await http.patch(
        f"{URL}/{made['id']}",
        json={"name": "Zenith", "website": "http://zenith.example/"},
        headers=tenant_a.member.headers,
    )
    company = answer.json()["company"]
    assert (company["name"], company["website"], company["is_client"]) == (
        "Zenith", "http://zenith.example", True,
    )  # fmt: skip
    (profile,) = await records.all(Client)
    assert profile.name_key == "zenith"
    entry = (await records.all(AuditEntry))[-1]
    assert (entry.entity_type, entry.entity_id, entry.action) == ("company", made["id"], "updated")
    assert entry.changes == {
        "name": {"from": "Acme", "to": "Zenith"},
        "website": {"from": None, "to": "http://zenith.example"},
    }


async def test_a_new_name_waits_for_the_client_before_it_takes_the_company(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    made = await make(http, tenant_a)
    await make_client_of(records, made["id"])
    async with records.database.tenant(tenant_a.id) as db:
        await client_profiles.locked(db, made["id"])
        renaming = asyncio.create_task(
            http.patch(
                f"{URL}/{made['id']}", json={"name": "Zenith"}, headers=tenant_a.member.headers
            )
        )
        await asyncio.sleep(0.5)
        # As a notification does that names the company.
        refers = select(Company.id).where(Company.id == made["id"])
        await db.execute(refers.with_for_update(read=True, key_share=True))
    answer = await renaming
    assert answer.status_code == 200, answer.text


async def test_what_is_not_another_value_changes_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    made = await make(http, tenant_a, website="acme.com")
    answer = await http.patch(
        f"{URL}/{made['id']}",
        json={"name": "Acme", "website": "acme.com"},
        headers=tenant_a.member.headers,
    )
    assert answer.json()["company"] == made
    assert await records.count(AuditEntry) == 1


async def test_a_company_may_change_the_case_of_its_own_name_but_not_take_anothers(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    made = await make(http, tenant_a)
    await make(http, tenant_a, name="Beta")
    url, headers = f"{URL}/{made['id']}", tenant_a.member.headers
    assert (await http.patch(url, json={"name": "ACME"}, headers=headers)).status_code == 200
    taken = await http.patch(url, json={"name": "BETA"}, headers=headers)
    assert taken.status_code == 409
    assert taken.json()["errors"][0]["location"] == "body.name"


@pytest.mark.parametrize("patch", [{}, {"name": None}, {"name": " "}, {"contacts": []}])
async def test_a_patch_that_does_not_validate_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, patch: dict[str, Any]
) -> None:
    made = await make(http, tenant_a)
    answer = await http.patch(f"{URL}/{made['id']}", json=patch, headers=tenant_a.member.headers)
    assert answer.status_code == 400


async def test_companies_of_others_are_not_found(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople
) -> None:
    made = await make(http, tenant_a)
    for company_id in (made["id"], new_id(), "acme"):
        url = f"{URL}/{company_id}"
        answers = [
            await http.get(url, headers=tenant_b.admin.headers),
            await http.patch(url, json={"name": "Mine"}, headers=tenant_b.admin.headers),
        ]
        assert [answer.status_code for answer in answers] == [404, 404]


async def test_reviewers_read_and_do_not_write(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    made = await make(http, tenant_a)
    headers = tenant_a.reviewer.headers
    answers = [
        await http.post(URL, json={"name": "Beta"}, headers=headers),
        await http.patch(f"{URL}/{made['id']}", json={"name": "Beta"}, headers=headers),
        await http.get(URL),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 401]
