"""A client of a tenant whose Stripe account is the fake one."""

from collections.abc import AsyncIterator

import pytest

from models.db.database import Database
from models.db.vault import Vault, vault
from models.settings import Settings
from tests.api.conftest import TenantPeople
from tests.api.serving import served
from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from tests.fakes.stripe import FakeStripe
from tests.fakes.stripe_account import connect


@pytest.fixture
def fake() -> FakeStripe:
    return FakeStripe()


@pytest.fixture
async def api_settings(api_settings: Settings, fake: FakeStripe) -> AsyncIterator[Settings]:
    async with served(fake.app) as address:
        yield api_settings.model_copy(update={"stripe_base_url": address})


@pytest.fixture
def kept(api_settings: Settings) -> Vault:
    return vault(api_settings)


@pytest.fixture
def made(tenant_a: TenantPeople) -> TenantMade:
    return TenantMade(id=tenant_a.id, admin_id=tenant_a.admin.id, member_id=tenant_a.member.id)


@pytest.fixture
async def company_id(db: Database, made: TenantMade, kept: Vault) -> str:
    """A client of a tenant whose Stripe account is connected."""
    await connect(db, made.id, kept)
    return await make_client(db, made)
