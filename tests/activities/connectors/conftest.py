"""A Stripe that answers over real HTTP, and the connector pointed at it."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from activities.connectors.stripe import StripeAccountApi, StripeBilling
from tests.api.serving import served
from tests.fakes.stripe import KEY, FakeStripe


@pytest.fixture
def fake() -> FakeStripe:
    return FakeStripe()


@pytest.fixture
async def billing(fake: FakeStripe) -> AsyncIterator[StripeBilling]:
    async with served(fake.app) as address:
        connector = StripeBilling(address, timeout=2)
        yield connector
        await connector.close()


@pytest.fixture
def account(billing: StripeBilling) -> StripeAccountApi:
    return billing.account(SecretStr(KEY))
