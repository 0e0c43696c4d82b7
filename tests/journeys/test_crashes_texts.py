"""A worker killed while a model writes about a client: each text once, each answer paid once."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.factories.agents import TenantMade
from tests.factories.clients import make_client
from tests.factories.results import store_metric
from tests.journeys.conftest import Journey
from tests.journeys.stack import PATIENCE
from workers.wire_model import Reply, Script
from workers.wire_script import Prompt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

DRAFT = json.dumps(
    {
        "executive_summary": "We worked together and kept our word to one another. " * 13,
        "performance": [], "wins": [], "challenges": [], "goals": [],
        "recommendations": [], "discussion_points": ["What comes next?"], "next_steps": [],
    }
)  # fmt: skip
INSIGHT = json.dumps(
    {
        "content": "The client spent steadily and nothing about it gives cause for worry. " * 9,
        "headline": "Steady", "summary": "All is steady.", "highlights": [], "concerns": [],
        "goal_progress": [], "campaigns": [], "recommendations": [], "data_quality": [],
    }
)  # fmt: skip


async def rows(journey: Journey, sql: str) -> list[Any]:
    async with journey.database.tenant(journey.agency.tenant_id) as db:
        return list((await db.execute(text(sql))).all())


class Writing(Script):
    """Answers each kind of text with its own words, in whatever order calls arrive."""

    def reply(self, prompt: Prompt) -> Reply:
        analyst = "performance analyst" in json.dumps(prompt.body["system"])
        return Reply(text=INSIGHT if analyst else DRAFT)


async def test_a_killed_worker_leaves_each_text_once_and_pays_for_no_finished_call_again(
    journey: Journey,
) -> None:
    tenant_id = journey.agency.tenant_id
    tenant = TenantMade(id=tenant_id, admin_id=tenant_id, member_id=tenant_id)
    company_id = await make_client(journey.database, tenant)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    await store_metric(journey.database, tenant, company_id, "spend", yesterday, [70])
    journey.model.script = Writing(delay=journey.model.script.delay)
    headers = {"Authorization": f"Bearer {journey.agency.api._token()}"}
    url = f"{journey.stack.record.api_url}/api/clients/{company_id}"
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        asking = [
            asyncio.create_task(http.post(f"{url}/{address}", headers=headers))
            for address in ("qbr/prepare", "results/prepare-qbr")
        ]
        deadline = time.monotonic() + PATIENCE
        under_way = "select 1 from text_call where status = 'open' and streamed_bytes > 0"
        while len(await rows(journey, under_way)) < 2:
            assert time.monotonic() < deadline, journey.stack.words()
            await asyncio.sleep(0.05)
        journey.stack.kill("worker-1")
        of_everything, of_results = await asyncio.gather(*asking)
    assert (of_everything.status_code, of_results.status_code) == (201, 201), of_results.text
    (insight,) = await rows(journey, "select id from result_insight")
    qbrs = await rows(journey, "select id, status, source_data from qbr")
    entries = await rows(journey, "select run_id, turn, attempt, output_tokens from ledger_entry")
    events = await rows(journey, "select event_type from history_event order by event_type")
    found = {qbr.source_data["kind"]: qbr for qbr in qbrs}
    assert {kind: qbr.id for kind, qbr in found.items()} == {
        "ai": of_everything.json()["qbr"]["id"], "results": of_results.json()["qbr"]["id"]
    }  # fmt: skip
    assert [qbr.status for qbr in qbrs] == ["draft", "draft"]
    assert found["results"].source_data["insight_id"] == insight.id
    # The draft and the insight were cut off and asked for again, the QBR from results but once.
    assert sorted((entry.turn, entry.attempt) for entry in entries) == [(1, 1)] * 3 + [(1, 2)] * 2
    cut_off = {one.run_id: one.output_tokens for one in entries if one.attempt == 1}
    whole = {one.run_id: one.output_tokens for one in entries if one.attempt == 2}
    assert all(0 < cut_off[run_id] < tokens for run_id, tokens in whole.items())
    assert [event.event_type for event in events] == [
        "client.last_qbr_date_changed", "client.qbr_prepared", "client.qbr_prepared"
    ]  # fmt: skip
    assert await rows(journey, "select 1 from text_draft") == []
