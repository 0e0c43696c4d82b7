from collections.abc import AsyncIterator

import pytest

from tests.activities.connectors.ads.cases import CASES, Case


@pytest.fixture(params=CASES)
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    made = CASES[request.param]()
    async with made.http:
        yield made
