"""The engine under test: one tenant, and a worker with the real steps on a queue of its own."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from models.db.database import Database
from tests.workflows.harness import Engine
from tests.workflows.studio import Calendar, Studio
from workflows import policies
from workflows.visibility import CAMPAIGN, KIND, STATE, TENANT

KEYS = (TENANT, CAMPAIGN, KIND, STATE)


@pytest.fixture
async def engine(db: Database, temporal: Client) -> AsyncIterator[Engine]:
    async with Engine.started(db, temporal) as running:
        yield running


@pytest.fixture
async def studio(
    db: Database, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Studio]:
    """An engine with a scripted model that pauses hardly at all before it tries again."""
    _hardly_pause(monkeypatch)
    async with Studio.opened(db, temporal) as running:
        yield running


@pytest.fixture
async def calendar(
    db: Database, time_skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Calendar]:
    """The same on a server that skips days."""
    _hardly_pause(monkeypatch)
    await know_our_attributes(time_skipping)
    async with Calendar.opened(db, time_skipping.client) as running:
        running.environment = time_skipping
        yield running


async def know_our_attributes(time_skipping: WorkflowEnvironment) -> None:
    """Register the search attributes on a server that skips time, which comes without."""
    await time_skipping.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=time_skipping.client.namespace,
            search_attributes={
                key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in KEYS
            },
        )
    )


def _hardly_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = timedelta(milliseconds=50)
    monkeypatch.setattr(policies, "AUTO_RETRY_PAUSES", (moment, moment))
