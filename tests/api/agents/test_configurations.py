"""Agents over HTTP."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.contracts.agent_checks import AgentCheckResult, CheckLine
from models.ids import new_id
from models.queries.agents.runs_write import effective_config
from models.rules.roles import ROLES
from models.settings import Settings
from models.tables.agent_runs import AgentConfig
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.factories.records import NOON, Records
from tests.fakes.desk import RecordedDesk

URL = "/dashboard/v1/agents"


async def status_of(http: httpx.AsyncClient, people: TenantPeople, role: str) -> str:
    listed = (await http.get(URL, headers=people.member.headers)).json()["data"]
    return next(str(agent["status"]) for agent in listed if agent["role"] == role)


async def test_every_role_is_listed_with_its_defaults(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records, api_settings: Settings
) -> None:
    answer = await http.get(URL, headers=tenant_a.reviewer.headers)
    agents = answer.json()["data"]
    assert [agent["role"] for agent in agents] == sorted(ROLES)
    assert agents[sorted(ROLES).index("editor")] == {
        "id": records.agent("editor"),
        "role": "editor",
        "status": "active",
        "runningCount": 0,
        "model": api_settings.claude_model,
        "adapterType": "claude",
        "toolNames": list(ROLES["editor"].tool_names),
        "skillIds": [],
        "maxCostUsdPerActivity": 5.0,
        "concurrency": 3,
        "isGlobalDefault": True,
    }


async def test_an_agent_in_full_shows_its_template_and_hides_its_environment(
    http: httpx.AsyncClient, tenant_a: TenantPeople
) -> None:
    answer = await http.get(f"{URL}/copywriter", headers=tenant_a.member.headers)
    config = answer.json()["adapterConfig"]
    assert config["promptTemplate"].strip()
    assert (config["timeoutSec"], config["maxTurnsPerRun"]) == (600, 20)
    assert set(config["env"].values()) == {"[redacted]"}


async def test_the_status_follows_what_the_agent_does(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    activity_id = await records.activity()
    assert await status_of(http, tenant_a, "copywriter") == "active"
    await records.run(activity_id)
    assert await status_of(http, tenant_a, "copywriter") == "idle"
    await records.configured(last_error_at=NOON, last_error_message="No key.")
    assert await status_of(http, tenant_a, "copywriter") == "error"
    await records.configured("analyst", last_error_at=NOON, last_ok_at=NOON + timedelta(days=1))
    assert await status_of(http, tenant_a, "analyst") == "active"
    await records.slot(activity_id)
    shown = (await http.get(f"{URL}/copywriter", headers=tenant_a.member.headers)).json()
    assert (shown["status"], shown["runningCount"]) == ("running", 1)
    assert shown["lastErrorMessage"] == "No key."
    await records.configured("editor", status="paused")
    assert await status_of(http, tenant_a, "editor") == "paused"


async def test_an_override_holds_for_the_next_run_and_is_in_the_audit_log(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    patch = {
        "model": "claude-haiku-4-5",
        "toolNames": ["web_fetch", "hand_over", "web_fetch"],
        "concurrency": 7,
        "adapterConfig": {
            "promptTemplate": "Write for {{ campaign_name }}.",
            "timeoutSec": 60,
            "maxTurnsPerRun": 4,
        },
    }
    headers = tenant_a.admin.headers
    answer = await http.patch(f"{URL}/copywriter", json=patch, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["isGlobalDefault"] is False
    assert answer.json()["toolNames"] == ["web_fetch", "hand_over"]
    async with records.database.tenant(tenant_a.id) as db:
        config = await effective_config(db, tenant_a.id, "copywriter")
    assert (config.model, config.concurrency, config.timeout_sec, config.max_turns) == (
        "claude-haiku-4-5", 7, 60, 4,
    )  # fmt: skip
    assert config.max_cost_usd == Decimal(5)
    assert config.prompt_template == "Write for {{ campaign_name }}."
    (entry,) = await records.all(AuditEntry)
    assert (entry.entity_type, entry.action, entry.actor_id) == (
        "agent", "updated", tenant_a.admin.id,
    )  # fmt: skip


async def test_null_lifts_the_bound_and_brings_the_template_back(
    http: httpx.AsyncClient, tenant_a: TenantPeople, records: Records
) -> None:
    headers = tenant_a.admin.headers
    template = {"adapterConfig": {"promptTemplate": "Short."}}
    await http.patch(f"{URL}/editor", json=template, headers=headers)
    shown = await http.get(f"{URL}/editor", headers=headers)
    assert shown.json()["adapterConfig"]["promptTemplate"] == "Short."
    undone = {"maxCostUsdPerActivity": None, "adapterConfig": {"promptTemplate": None}}
    answer = await http.patch(f"{URL}/editor", json=undone, headers=headers)
    assert "maxCostUsdPerActivity" not in answer.json()
    shown = await http.get(f"{URL}/editor", headers=headers)
    assert shown.json()["adapterConfig"]["promptTemplate"] != "Short."
    async with records.database.tenant(tenant_a.id) as db:
        assert (await effective_config(db, tenant_a.id, "editor")).max_cost_usd is None


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({}, 400),
        ({"role": "poet"}, 400),
        ({"model": None}, 400),
        ({"concurrency": 0}, 400),
        ({"concurrency": 11}, 400),
        ({"maxCostUsdPerActivity": 0}, 400),
        ({"adapterConfig": {}}, 400),
        ({"adapterConfig": {"timeoutSec": 9}}, 400),
        ({"adapterConfig": {"maxTurnsPerRun": 201}}, 400),
        ({"adapterConfig": {"env": {}}}, 400),
        ({"model": "gpt-5"}, 422),
        ({"model": ""}, 422),
        ({"toolNames": ["format_disk"]}, 422),
        ({"adapterConfig": {"promptTemplate": "{{ secrets }}"}}, 422),
        ({"adapterConfig": {"promptTemplate": "{% if %}"}}, 422),
    ],
)
async def test_an_impossible_override_changes_nothing(
    http: httpx.AsyncClient,
    tenant_a: TenantPeople,
    records: Records,
    patch: dict[str, Any],
    status: int,
) -> None:
    answer = await http.patch(f"{URL}/editor", json=patch, headers=tenant_a.admin.headers)
    assert answer.status_code == status
    assert await records.count(AgentConfig) == 0


async def test_roles_that_are_not_there_are_not_found(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    headers = tenant_a.admin.headers
    for role in ("poet", "NOT-A-ROLE", "x"):
        answers = [
            await http.get(f"{URL}/{role}", headers=headers),
            await http.patch(f"{URL}/{role}", json={"concurrency": 1}, headers=headers),
            await http.post(f"{URL}/{role}/test", headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
    assert desk.sent == []


async def test_configuring_and_testing_need_their_role(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    patch = {"concurrency": 1}
    for person in (tenant_a.member, tenant_a.reviewer):
        answer = await http.patch(f"{URL}/editor", json=patch, headers=person.headers)
        assert answer.status_code == 403
    answer = await http.post(f"{URL}/editor/test", headers=tenant_a.reviewer.headers)
    assert answer.status_code == 403
    assert desk.sent == []


async def test_a_tenants_overrides_are_its_own(
    http: httpx.AsyncClient, tenant_a: TenantPeople, tenant_b: TenantPeople
) -> None:
    await http.patch(f"{URL}/editor", json={"concurrency": 9}, headers=tenant_a.admin.headers)
    answer = await http.get(f"{URL}/editor", headers=tenant_b.member.headers)
    assert answer.json()["concurrency"] == 3


async def test_a_test_answers_what_the_adapter_said(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    desk.answers["run"] = AgentCheckResult(
        ok=False,
        message="The key is not valid.",
        checks=(
            CheckLine(name="api_key_set", ok=True),
            CheckLine(name="model_reachable", ok=False, detail="The key is not valid."),
        ),
    )
    answer = await http.post(f"{URL}/editor/test", json={}, headers=tenant_a.member.headers)
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": False,
        "message": "The key is not valid.",
        "checks": [
            {"name": "api_key_set", "ok": True},
            {"name": "model_reachable", "ok": False, "detail": "The key is not valid."},
        ],
    }
    assert desk.only.workflow_id == f"agent-check:{tenant_a.id}:editor"


async def test_a_test_that_does_not_end_has_failed(
    http: httpx.AsyncClient, tenant_a: TenantPeople, desk: RecordedDesk
) -> None:
    desk.answers["run"] = None
    answer = await http.post(f"{URL}/editor/test", headers=tenant_a.member.headers)
    assert answer.status_code == 200
    assert answer.json()["ok"] is False


async def test_agents_of_others_do_not_show(
    http: httpx.AsyncClient, tenant_a: TenantPeople, foreign_records: Records
) -> None:
    await foreign_records.configured("editor", last_error_at=NOON, last_error_message="Theirs")
    await foreign_records.run(await foreign_records.activity(), id=new_id())
    assert await status_of(http, tenant_a, "editor") == "active"
    assert await status_of(http, tenant_a, "copywriter") == "active"
