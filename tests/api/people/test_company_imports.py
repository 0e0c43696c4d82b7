"""Importing companies from CSV over HTTP."""

import json
from typing import Any

import httpx
import pytest

from models.ids import new_id
from models.tables.clients import AdoptionWeek, Client, HistoryEvent
from models.tables.companies import Company, Contact
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.factories.records import Records

URL = "/api/clients/companies/import"
FILE = """Company;Website;Parent;First name;Last name;E-mail;Job title;Primary;Colour
Northwind;northwind.example;;Ines;Vogt;ines@northwind.example;CMO;yes;red
northwind;;;Bo;Möller;bo@northwind.example;;;
Northwind Labs;;Northwind;;;;;;
Contoso;contoso;;Cy;;;;;
Fabrikam;;;;;di@fabrikam.example;;;
"""


async def upload(
    http: httpx.AsyncClient,
    headers: dict[str, str],
    content: str | bytes = FILE,
    **form: Any,
) -> httpx.Response:
    body = content.encode() if isinstance(content, str) else content
    return await http.post(
        URL, files={"file": ("companies.csv", body, "text/csv")}, data=form, headers=headers
    )


async def imported(
    http: httpx.AsyncClient, people: TenantPeople, content: str | bytes = FILE, **form: Any
) -> dict[str, Any]:
    answer = await upload(http, people.member.headers, content, **form)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


COUNTS = (
    "companies_created", "companies_updated", "contacts_created", "contacts_updated",
    "clients_created",
)  # fmt: skip


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[name] for name in COUNTS)


async def test_companies_and_contacts_are_made_and_wrong_rows_reported(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    report = await imported(http, tenant_a)
    assert counts(report) == (3, 0, 3, 0, 0)
    assert (report["rows"], report["skipped"], report["unknown_columns"]) == (5, 1, ["Colour"])
    assert report["errors"] == [
        {
            "row": 5,
            "column": "Website",
            "message": "Should be the address of a website, or a domain",
            "value": "contoso",
        }
    ]
    companies = {row.name: row for row in await records.all(Company)}
    assert set(companies) == {"Northwind", "Northwind Labs", "Fabrikam"}
    assert companies["Northwind"].website == "https://northwind.example"
    assert companies["Northwind Labs"].parent_company_id == companies["Northwind"].id
    contacts = {row.name: row for row in await records.all(Contact)}
    assert (contacts["Ines Vogt"].title, contacts["Ines Vogt"].is_primary) == ("CMO", True)
    assert contacts["Bo Möller"].company_id == companies["Northwind"].id
    assert contacts["di@fabrikam.example"].company_id == companies["Fabrikam"].id
    (entry,) = await records.all(AuditEntry)
    assert (entry.entity_type, entry.action, entry.actor_id) == (
        "company", "imported", tenant_a.member.id,
    )  # fmt: skip
    assert entry.changes == dict(zip(COUNTS, counts(report), strict=True))


async def test_importing_a_file_twice_changes_nothing_the_second_time(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    await imported(http, tenant_a, promote="prospect")
    tables = (Company, Contact, Client, HistoryEvent, AuditEntry)
    before = [sorted(map(str, await records.all(table))) for table in tables]
    again = await imported(http, tenant_a, promote="prospect")
    assert counts(again) == (0, 0, 0, 0, 0)
    assert (again["rows"], again["skipped"]) == (5, 1)
    assert [sorted(map(str, await records.all(table))) for table in tables] == before


async def test_what_is_there_is_updated_and_blank_cells_change_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    await imported(http, tenant_a)
    report = await imported(
        http,
        tenant_a,
        "company,website,contact,email,phone,title,primary\n"
        "NORTHWIND,,Ines V.,INES@northwind.example,030 1,,\n"
        "Fabrikam,fabrikam.example,Eve,,,CFO,1\n",
    )
    assert counts(report) == (0, 1, 1, 1, 0)
    companies = {row.name: row for row in await records.all(Company)}
    assert companies["Northwind"].website == "https://northwind.example"
    assert companies["Fabrikam"].website == "https://fabrikam.example"
    contacts = {row.email: row for row in await records.all(Contact)}
    ines = contacts["ines@northwind.example"]
    assert (ines.name, ines.phone, ines.title, ines.is_primary) == ("Ines V.", "030 1", "CMO", True)
    assert (contacts[None].name, contacts[None].is_primary) == ("Eve", True)


async def test_promotion_makes_clients_of_those_that_are_none(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    await imported(http, tenant_a, "Company\nNorthwind\nContoso\n", promote="active")
    report = await imported(
        http, tenant_a, "Company,Parent\nnorthwind,\nLabs,Group\n", promote="prospect"
    )
    assert counts(report) == (2, 0, 0, 0, 1)
    companies = {row.id: row.name for row in await records.all(Company)}
    clients = {companies[row.company_id]: row for row in await records.all(Client)}
    assert {name: (row.status, row.name_key) for name, row in clients.items()} == {
        "Northwind": ("active", "northwind"),
        "Contoso": ("active", "contoso"),
        "Labs": ("prospect", "labs"),
    }
    events = await records.all(HistoryEvent)
    assert {companies[row.resource_id]: row.details for row in events} == {
        name: {"status": row.status, "assigned_dm_id": None} for name, row in clients.items()
    }
    assert {(row.event_type, row.actor_id) for row in events} == {
        ("client.promoted", tenant_a.member.id)
    }
    entries = [row for row in await records.all(AuditEntry) if row.entity_type == "client"]
    assert {(companies[row.entity_id], row.action) for row in entries} == {
        (name, "promoted") for name in clients
    }
    assert await records.count(AdoptionWeek) == 0


async def test_a_dry_run_tells_the_same_and_does_nothing(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    dry = await imported(http, tenant_a, dry_run="true", promote="active")
    for table in (Company, Contact, Client, AuditEntry):
        assert await records.count(table) == 0
    assert counts(dry) == (3, 0, 3, 0, 3)
    assert await imported(http, tenant_a, promote="active") == dry


async def test_headers_can_be_mapped(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    mapping = {"Firma": "name", "Ansprechpartner": "contact_name", "Phone": None}
    report = await imported(
        http,
        tenant_a,
        "Firma;Ansprechpartner;Phone\nÖlmühle;Jörg;none\n".encode("cp1252"),
        mapping=json.dumps(mapping),
    )
    assert report["unknown_columns"] == []
    (company,) = await records.all(Company)
    (contact,) = await records.all(Contact)
    assert (company.name, contact.name, contact.phone) == ("Ölmühle", "Jörg", None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
async def test_the_encodings_of_spreadsheets_are_read(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, encoding: str
) -> None:
    report = await imported(http, tenant_a, FILE.encode(encoding))
    assert counts(report) == (3, 0, 3, 0, 0)
    assert "Bo Möller" in {row.name for row in await records.all(Contact)}


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 400, "empty"),
        (b"\n\n", 400, "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", 400, "not a text file"),
        (b"PK\x03\x04\x14\x00", 400, "save it as CSV"),
        (b"Colour,Shape\nred,round\n", 400, "no column for name"),
        (b'Company\n"Acme', 400, "never closed"),
        (b"Company\n" + b"Acme\n" * 10_001, 413, "10,000 rows"),
        (b"Company\n" + b" " * 5 * 1024 * 1024, 413, "5 MB"),
    ],
)
async def test_what_is_no_table_is_refused_as_a_whole(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    content: bytes,
    status: int,
    message: str,
) -> None:
    answer = await upload(http, tenant_a.member.headers, content)
    assert answer.status_code == status, answer.text
    (item,) = answer.json()["errors"]
    assert item["location"] == "form.file"
    assert message in item["message"]
    assert await records.count(Company) == 0


@pytest.mark.parametrize(
    ("form", "location"),
    [
        ({"mapping": "{"}, "form.mapping"),
        ({"mapping": "[]"}, "form.mapping"),
        ({"mapping": '{"Nowhere": "name"}'}, "form.mapping.Nowhere"),
        ({"mapping": '{"Colour": "colour"}'}, "form.mapping.Colour"),
        ({"promote": "platinum"}, "form.promote"),
        ({"dry_run": "perhaps"}, "form.dry_run"),
        ({"dryrun": "true"}, "form.dryrun"),
    ],
)
async def test_an_option_that_is_wrong_is_named(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    form: dict[str, str],
    location: str,
) -> None:
    answer = await upload(http, tenant_a.member.headers, **form)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["location"] == location
    assert await records.count(Company) == 0


async def test_a_request_without_a_file_or_of_another_kind_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    headers = tenant_a.member.headers
    missing = await http.post(URL, files={"promote": (None, "active")}, headers=headers)
    assert missing.status_code == 400
    assert missing.json()["errors"][0]["location"] == "form.file"
    assert (await http.post(URL, json={}, headers=headers)).status_code == 415
    huge = b"Company\n" + b"A" * 6 * 1024 * 1024
    assert (await upload(http, headers, huge)).status_code == 413


async def test_an_import_sees_nothing_of_other_tenants(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    tenant_b: TenantPeople,
    foreign_records: Records,
) -> None:
    await foreign_records.insert(Company, id=new_id(), name="Northwind")
    assert counts(await imported(http, tenant_a)) == (3, 0, 3, 0, 0)
    assert await foreign_records.count(Company) == 1
    assert await foreign_records.count(Contact) == 0


async def test_of_companies_that_share_a_name_the_oldest_is_met(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    first = new_id()
    await records.insert(Company, id=first, name="Acme")
    await records.insert(Company, id=new_id(), name="ACME")
    await imported(http, tenant_a, "Company,Contact\nacme,Bo\n")
    (contact,) = await records.all(Contact)
    assert contact.company_id == first


async def test_members_import_and_reviewers_do_not(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    assert (await upload(http, tenant_a.reviewer.headers)).status_code == 403
    assert (await upload(http, tenant_a.member.headers)).status_code == 200


async def test_an_import_sent_twice_with_one_key_is_answered_the_same(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    headers = {**tenant_a.member.headers, "Idempotency-Key": "spring"}
    answers = [await upload(http, headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await records.count(AuditEntry) == 1
