"""A running stack with a local model, and a tenant in it for each test."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from models.db.database import Database
from models.queries.agents import proof
from models.queries.agents.proof import Record
from models.settings import Settings
from tests.journeys.stack import PATIENCE, Stack
from workers import wire_model
from workers.prove import model_environment
from workers.prove_checks import judge
from workers.prove_tenants import Agency, make_agency
from workers.stack import embedded_environment
from workers.tokens import signing_key
from workers.wire_model import WireModel

WORD_DELAY = 0.03


@dataclass(kw_only=True)
class Journey:
    """One tenant's way through a stack that gets hurt."""

    stack: Stack
    model: WireModel
    agency: Agency
    database: Database

    async def record(self) -> Record:
        async with self.database.tenant(self.agency.tenant_id) as db:
            return await proof.read(db)

    async def work(self, *orders: dict[str, Any]) -> str:
        """Submit a campaign; answers its id."""
        await self.agency.submit(1, *orders)
        (campaign_id,) = self.agency.submitted
        return campaign_id

    async def streaming(self, kind: str) -> str:
        """Wait until the agent of this type of activity is in the middle of its words."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            record = await self.record()
            ours = {row.id for row in record.activities if row.type == kind}
            for row in record.run_events:
                if row.activity_id in ours and row.kind == "text_delta":
                    return str(row.activity_id)
            await asyncio.sleep(0.03)
        raise AssertionError(self.stack.words())

    async def pending(self) -> str:
        """Wait for an approval; answers its id."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for row in (await self.record()).approvals:
                if row.status == "pending":
                    return str(row.id)
            await asyncio.sleep(0.05)
        raise AssertionError(self.stack.words())

    async def all_done(self) -> Record:
        """Wait until everything is done and sound; answers the record."""
        deadline = time.monotonic() + PATIENCE
        left = -1
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.Error, SQLAlchemyError):  # It may be down just now.
                async with self.database.tenant(self.agency.tenant_id) as db:
                    left = await proof.unfinished(db)
            if left == 0:
                break
            await asyncio.sleep(0.1)
        assert left == 0, self.stack.words()
        record = await self.record()
        calls = [asdict(call) for call in self.model.calls]
        assert judge(record, calls, self.agency.approved).all() == []
        return record


@pytest.fixture(scope="package")
def model() -> Iterator[WireModel]:
    with wire_model.serve(delay=WORD_DELAY) as serving:
        yield serving


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, model: WireModel) -> Iterator[Stack]:
    """One for all journeys: a start takes longer than most of them."""
    data_dir = tmp_path_factory.mktemp("journey")
    signing_key(Settings(data_dir=data_dir))
    running = Stack(data_dir, model_environment(model.url))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
async def journey(stack: Stack, model: WireModel) -> AsyncIterator[Journey]:
    variables = embedded_environment(stack.data_dir, stack.record)
    database = Database(variables["THROUGHLINE_DATABASE_URL"], 2)
    settings = Settings(data_dir=stack.data_dir)
    agency = await make_agency(database, settings, stack.record, "Aster")
    try:
        yield Journey(stack=stack, model=model, agency=agency, database=database)
    finally:
        await agency.api.close()
        await database.close()
