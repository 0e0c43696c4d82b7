"""The engine under test: one tenant, and a worker with the real steps on a queue of its own."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from models.db.database import Database
from tests.workflows.harness import Engine


@pytest.fixture
async def engine(db: Database, temporal: Client) -> AsyncIterator[Engine]:
    async with Engine.started(db, temporal) as running:
        yield running
