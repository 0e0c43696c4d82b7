"""The engine under test: one tenant, and a worker with the real steps on a queue of its own."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client

from models.db.database import Database
from tests.workflows.harness import Engine
from tests.workflows.studio import Studio
from workflows import policies


@pytest.fixture
async def engine(db: Database, temporal: Client) -> AsyncIterator[Engine]:
    async with Engine.started(db, temporal) as running:
        yield running


@pytest.fixture
async def studio(
    db: Database, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Studio]:
    """An engine with a scripted model that pauses hardly at all before it tries again."""
    moment = timedelta(milliseconds=50)
    monkeypatch.setattr(policies, "AUTO_RETRY_PAUSES", (moment, moment))
    async with Studio.opened(db, temporal) as running:
        yield running
