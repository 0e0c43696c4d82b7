"""The team over HTTP."""

import httpx
import pytest

from models.ids import new_id
from models.rules.roles import ROLES
from models.tables.people import Principal
from tests.api.conftest import TenantPeople
from tests.factories.records import NOON, Records

URL = "/dashboard/v1/team"


async def names(http: httpx.AsyncClient, people: TenantPeople, query: str = "") -> list[str]:
    answer = await http.get(f"{URL}?{query}", headers=people.reviewer.headers)
    assert answer.status_code == 200, answer.text
    return [member["name"] for member in answer.json()["data"]]


async def test_people_come_first_then_agents_each_by_name(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople
) -> None:
    people = ["Aster admin", "Aster member", "Aster reviewer"]
    agents = sorted(role.title for role in ROLES.values())
    assert await names(http, tenant_a) == people + agents


async def test_an_agent_shows_its_adapter_and_work_and_a_person_neither(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    activity_id = await records.activity()
    await records.run(activity_id)
    await records.slot(activity_id)
    answer = await http.get(URL, headers=tenant_a.member.headers)
    by_role = {member["role"]: member for member in answer.json()["data"]}
    copywriter, admin = by_role["copywriter"], by_role["admin"]
    assert (copywriter["agentAdapter"], copywriter["runningCount"]) == ("claude", 1)
    assert copywriter["lastActiveAt"] == "2026-03-02T12:00:00.000Z"
    assert "email" not in copywriter
    assert admin["email"] == "admin@aster.test"
    assert not {"agentAdapter", "runningCount"} & set(admin)


async def test_every_filter_narrows_the_list(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    await records.insert(
        Principal, id=new_id(), type="human", name="Gone", role="member", status="terminated"
    )
    await records.insert(
        Principal, id=new_id(), type="human", name="Locked", role="member", status="inactive",
        created_on=NOON,
    )  # fmt: skip
    await records.configured("analyst", status="paused")
    await records.configured("editor", status="terminated")
    everybody = await names(http, tenant_a)
    assert "Gone" not in everybody
    assert "Editor" not in everybody
    assert await names(http, tenant_a, "filter.status=terminated") == ["Gone", "Editor"]
    assert await names(http, tenant_a, "filter.status=inactive") == ["Locked", "Analyst"]
    assert await names(http, tenant_a, "filter.role=member,copywriter&filter.type=human") == [
        "Aster member",
        "Locked",
    ]


@pytest.mark.parametrize("query", ["filter.type=robot", "filter.status=asleep", "filter.name=x"])
async def test_a_malformed_query_is_refused(
    http: httpx.AsyncClient, tenant_a: TenantPeople, query: str
) -> None:
    answer = await http.get(f"{URL}?{query}", headers=tenant_a.admin.headers)
    assert answer.status_code == 400
