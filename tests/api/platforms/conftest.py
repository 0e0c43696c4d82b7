"""A client whose platforms have something to tell."""

from datetime import date
from typing import Any

import pytest

from tests.api.conftest import TenantPeople, made
from tests.api.platforms.result_calls import Store
from tests.factories.clients import make_client
from tests.factories.records import Records
from tests.factories.results import store_metric


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    return await make_client(records.database, made(tenant_a), "Acme")


@pytest.fixture
def store(records: Records, tenant_a: TenantPeople, company_id: str) -> Store:
    """Stores days of a metric, one after another."""

    async def stored(metric_key: str, first: date, values: list[Any], **options: Any) -> None:
        tenant = made(tenant_a)
        await store_metric(
            records.database, tenant, company_id, metric_key, first, values, **options
        )

    return stored
