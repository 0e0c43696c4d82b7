from collections.abc import AsyncIterator

import pytest

from tests.activities.connectors.platforms.cases import CASES, SMALL_PAGES, Case


@pytest.fixture(params=CASES)
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    made = CASES[request.param]()
    async with made.http:
        yield made


@pytest.fixture(params=SMALL_PAGES)
async def paged(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    made = SMALL_PAGES[request.param]()
    made.fake.page_limit = 3
    async with made.http:
        yield made
