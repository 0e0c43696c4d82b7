"""A worker killed while a model writes about a client: one text, and each answer paid once."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from tests.journeys.conftest import Journey
from tests.journeys.stack import PATIENCE
from workers.wire_model import Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

DRAFT = json.dumps(
    {
        "executive_summary": "We worked together and kept our word to one another. " * 12,
        "performance": [], "wins": [], "challenges": [], "goals": [],
        "recommendations": [], "discussion_points": ["What comes next?"], "next_steps": [],
    }
)  # fmt: skip


async def rows(journey: Journey, sql: str) -> list[Any]:
    async with journey.database.tenant(journey.agency.tenant_id) as db:
        return list((await db.execute(text(sql))).all())


async def test_a_killed_worker_leaves_one_draft_and_pays_for_no_finished_call_again(
    journey: Journey,
) -> None:
    tenant_id = journey.agency.tenant_id
    tenant = TenantMade(id=tenant_id, admin_id=tenant_id, member_id=tenant_id)
    company_id = await make_client(journey.database, tenant)
    journey.model.say(Reply(text=DRAFT), Reply(text=DRAFT))
    headers = {"Authorization": f"Bearer {journey.agency.api._token()}"}
    url = f"{journey.stack.record.api_url}/api/clients/{company_id}/qbr/prepare"
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        asking = asyncio.create_task(http.post(url, headers=headers))
        deadline = time.monotonic() + PATIENCE
        while not await rows(journey, "select 1 from text_call where streamed_bytes > 0"):
            assert time.monotonic() < deadline, journey.stack.words()
            await asyncio.sleep(0.05)
        journey.stack.kill("worker-1")
        answer = await asking
    assert answer.status_code == 201, answer.text
    (qbr,) = await rows(journey, "select id, status from qbr")
    entries = await rows(
        journey, "select turn, attempt, output_tokens from ledger_entry order by attempt"
    )
    events = await rows(journey, "select event_type from history_event")
    assert tuple(qbr) == (answer.json()["qbr"]["id"], "draft")
    assert [(entry.turn, entry.attempt) for entry in entries] == [(1, 1), (1, 2)]
    assert 0 < entries[0].output_tokens < entries[1].output_tokens
    assert [event.event_type for event in events] == ["client.qbr_prepared"]
    assert await rows(journey, "select 1 from text_draft") == []
