"""The whole API against its own document: whatever is sent, the answer is one that it describes."""

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from activities.platforms.connectors import Connectors
from api.http.services import Services
from models.rules.platforms.registry import PlatformId
from models.settings import Settings
from tests.api.conftest import TenantPeople, made
from tests.api.serving import served
from tests.documented import DOCUMENT
from tests.factories.clients import make_client, make_goal, make_revenue_entry, make_win
from tests.factories.platforms import connect, outside, settings_with_platforms
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
LEFT_OUT = {
    "GET /dashboard/v1/events/stream",  # has no end
    "GET /readyz",  # answers 503 here, where no Temporal is
}
SCHEMA = schemathesis.openapi.from_dict(deepcopy(DOCUMENT))
OPERATIONS = {
    operation.label: operation
    for result in SCHEMA.get_all_operations()
    if isinstance(result, Ok) and (operation := result.ok()).label not in LEFT_OUT
}


@dataclass(frozen=True)
class Target:
    """A served API with something in it; `ids` are path parameters that lead somewhere."""

    url: str
    headers: dict[str, str]
    ids: dict[str, str]


@pytest.fixture
def api_settings(api_settings: Settings) -> Settings:
    return settings_with_platforms(api_settings)


@pytest.fixture
async def connectors(request: pytest.FixtureRequest) -> AsyncIterator[Connectors]:
    """Platforms that answer, for the operations that ask them."""
    if "connections" not in request.node.name:
        yield Connectors()
        return
    async with outside() as here:
        yield here.connectors


@pytest.fixture
async def target(
    app: FastAPI,
    tenant_a: TenantPeople,
    records: Records,
    desk: RecordedDesk,
    services: Services,
) -> AsyncIterator[Target]:
    campaign_id = await records.campaign()
    deliverable_id = await records.deliverable(campaign_id)
    activity_id = await records.activity(campaign_id, status="done", deliverable_id=deliverable_id)
    await records.run(activity_id)
    await records.output(activity_id, "# Heat pumps")
    await records.comment(activity_id)
    approval_id = await records.approval(campaign_id, activity_id)
    tenant = made(tenant_a)
    company_id = await make_client(records.database, tenant)
    ids = {
        "company_id": company_id,
        "connection_id": await connect(
            records.database, tenant, company_id, PlatformId.META_ADS,
            {"access_token": "EAABOfNobody", "ad_account_id": "12345"}, services.keys,
        ),
        "goal_id": await make_goal(records.database, tenant, company_id),
        "win_id": await make_win(records.database, tenant, company_id),
        "entry_id": await make_revenue_entry(records.database, tenant, company_id, "12.5"),
        "campaign_id": campaign_id,
        "deliverable_id": deliverable_id,
        "activity_id": activity_id,
        "approval_id": approval_id,
        "agent_role": "editor",
    }  # fmt: skip
    async with served(app) as url:
        yield Target(url, tenant_a.admin.headers, ids)


@pytest.mark.parametrize("label", sorted(OPERATIONS))
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(choices=st.data())
async def test_every_answer_is_one_that_the_document_describes(
    label: str, target: Target, choices: st.DataObject
) -> None:
    operation = OPERATIONS[label]
    known = {name: value for name, value in target.ids.items() if f"{{{name}}}" in operation.path}
    given_ids: dict[str, Any] = {}
    if known and choices.draw(st.sampled_from((True, True, False))):
        given_ids = {"path_parameters": known}
    mode = choices.draw(st.sampled_from((GenerationMode.POSITIVE, GenerationMode.NEGATIVE)))
    case = choices.draw(operation.as_strategy(mode, **given_ids))
    call = asyncio.to_thread(case.call, base_url=target.url, headers=target.headers, timeout=10)
    case.validate_response(await call, checks=CHECKS)
