"""A client whose platforms have something to tell."""

import pytest

from tests.api.conftest import TenantPeople, made
from tests.factories.clients import make_client
from tests.factories.records import Records


@pytest.fixture
async def company_id(records: Records, tenant_a: TenantPeople) -> str:
    return await make_client(records.database, made(tenant_a), "Acme")
