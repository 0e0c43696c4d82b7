"""A client whose platforms are pulled from."""

from collections.abc import AsyncIterator

import pytest

from models.db.database import Database
from tests.activities.platforms.puller import Puller


@pytest.fixture
async def puller(db: Database) -> AsyncIterator[Puller]:
    async with Puller.at_work(db) as at_work:
        yield at_work
