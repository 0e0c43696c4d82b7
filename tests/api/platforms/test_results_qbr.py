"""QBRs from results over HTTP, with a real worker and a scripted model."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from temporalio.client import Client

from api.http import commands
from api.http.services import Services
from api.platforms.results.schemas import ResultsOut
from models.db.database import Database
from models.rules.clients.ai_texts import input_hash
from models.rules.months import add_months
from tests.api.conftest import TenantPeople, made
from tests.api.people.writing import writers
from tests.factories.clients import make_client, make_company, make_goal
from tests.factories.results import (
    connect_platform,
    store_campaign_day,
    store_insight,
    store_metric,
)
from tests.workflows.scripted_llm import Gate, Reply
from tests.workflows.writing import UNCONFIGURED, Writers, qbr
from workflows.visibility import insight_workflow, qbr_prep_workflow

__all__ = ["writers"]

NOW = datetime.now(UTC)
TODAY = NOW.date()
START = add_months(TODAY + timedelta(days=1), -3)


@pytest.fixture
async def acme(db: Database, tenant_a: TenantPeople) -> str:
    """A client that spent 100 a day for ten days, and sold for 420 a day."""
    next_qbr = TODAY + timedelta(days=40)
    company_id = await make_client(db, made(tenant_a), "Acme", next_qbr_date=next_qbr)
    for key, value in (("spend", 100), ("conversion_value", 420)):
        first = TODAY - timedelta(days=10)
        await store_metric(db, made(tenant_a), company_id, key, first, [value] * 10)
    return company_id


async def prepare(
    http: httpx.AsyncClient, people: TenantPeople, company_id: str, status: int = 201
) -> dict[str, Any]:
    answer = await http.post(
        f"/api/clients/{company_id}/results/prepare-qbr", headers=people.member.headers
    )
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body if status != 201 else body["qbr"]


async def in_full(http: httpx.AsyncClient, people: TenantPeople, company_id: str, id: str) -> Any:
    answer = await http.get(f"/api/clients/{company_id}/qbr/{id}", headers=people.member.headers)
    return answer.json()["qbr"]


async def rows(db: Database, people: TenantPeople, sql: str) -> list[Any]:
    async with db.tenant(people.id) as session:
        return list((await session.execute(text(sql))).all())


async def test_a_draft_is_made_of_the_quarter_and_an_insight_written_for_it(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    short = await prepare(http, tenant_a, acme)
    full = await in_full(http, tenant_a, acme, short["id"])
    (insight,) = await rows(db, tenant_a, "select * from result_insight")
    source, content = full["source_data"], full["content"]
    assert short == {"id": full["id"], "date": TODAY.isoformat(), "summary": full["summary"]}
    assert (full["status"], full["created_by"]) == ("draft", tenant_a.member.id)
    assert (insight.period_type, insight.period_start, insight.period_end) == (
        "quarter", START, TODAY
    )  # fmt: skip
    assert (source["kind"], source["insight_id"]) == ("results", insight.id)
    assert (source["since"], source["until"]) == (START.isoformat(), TODAY.isoformat())
    assert source["input_hash"] == input_hash(writers.llm.asked[1].given)
    assert source["model"] == "claude-sonnet-5-5"
    spend, value, roas = source["metrics"]
    assert (spend["value"], value["value"], roas["value"]) == (1000, 4200, 4.2)
    assert content["period"] == {"start": START.isoformat(), "end": TODAY.isoformat()}
    assert [(one["metric_key"], one["value"]) for one in content["performance"]] == [
        ("spend", 1000), ("conversion_value", 4200), ("roas", 4.2)
    ]  # fmt: skip
    assert await rows(db, tenant_a, "select 1 from text_draft") == []


async def test_the_insight_is_shown_with_the_results_of_the_quarter(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await make_goal(db, made(tenant_a), acme)
    await connect_platform(db, made(tenant_a), acme, "shopify", "expired")
    await store_campaign_day(db, made(tenant_a), acme, day=TODAY, spend=Decimal(7))
    await prepare(http, tenant_a, acme)
    answer = await http.get(
        f"/api/clients/{acme}/results?period_type=quarter", headers=tenant_a.reviewer.headers
    )
    ResultsOut.model_validate_json(answer.text)
    shown = answer.json()["insight"]
    content = shown["content_json"]
    assert (shown["health_score"], shown["overall_health"]) == (100, "healthy")
    assert [(one["metric_key"], one["target"]) for one in content["goal_progress"]] == [("roas", 4)]
    assert [(one["campaign_id"], one["spend"]) for one in content["campaigns"]] == [("1", 7)]
    assert [one["platform"] for one in content["data_quality"]] == ["shopify"]


async def test_a_draft_of_everything_since_the_year_one_has_its_metrics(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers
) -> None:
    company_id = await make_client(db, made(tenant_a), last_qbr_date=date(1, 1, 1))
    await store_metric(db, made(tenant_a), company_id, "spend", TODAY, [5])
    answer = await http.post(
        f"/api/clients/{company_id}/qbr/prepare", headers=tenant_a.member.headers
    )
    assert answer.json()["qbr"]["source_data"]["metrics"][0]["value"] == 5


async def test_the_last_date_moves_to_today_the_next_one_stays_and_the_history_tells(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    short = await prepare(http, tenant_a, acme)
    (client,) = await rows(db, tenant_a, "select last_qbr_date, next_qbr_date from client")
    events = await rows(db, tenant_a, "select * from history_event order by id")
    by_type = {event.event_type: event for event in events}
    assert tuple(client) == (TODAY, TODAY + timedelta(days=40))
    assert set(by_type) == {"client.qbr_prepared", "client.last_qbr_date_changed"}
    assert by_type["client.qbr_prepared"].details["qbr_id"] == short["id"]
    assert by_type["client.last_qbr_date_changed"].new_value == TODAY.isoformat()
    assert {event.actor_id for event in events} == {tenant_a.member.id}


async def test_an_insight_of_this_week_is_used_again(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await store_insight(
        db, made(tenant_a), acme, id="mine", period_type="quarter", period_start=START,
        period_end=TODAY - timedelta(days=6), generated_at=NOW - timedelta(days=6),
    )  # fmt: skip
    short = await prepare(http, tenant_a, acme)
    full = await in_full(http, tenant_a, acme, short["id"])
    assert full["source_data"]["insight_id"] == "mine"
    assert len(writers.llm.asked) == 1


async def test_an_insight_of_last_week_is_too_old(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await store_insight(
        db, made(tenant_a), acme, period_type="quarter", period_start=START,
        period_end=TODAY - timedelta(days=8), generated_at=NOW - timedelta(days=8),
    )  # fmt: skip
    await prepare(http, tenant_a, acme)
    assert len(await rows(db, tenant_a, "select 1 from result_insight")) == 2


@pytest.mark.parametrize(
    "reply", [Reply(text="no JSON"), qbr(executive_summary="Revenue was 999,999.")]
)
async def test_a_model_that_fails_leaves_the_words_to_the_template(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str,
    reply: Any,
) -> None:  # fmt: skip
    await make_goal(db, made(tenant_a), acme)
    await store_insight(
        db, made(tenant_a), acme, period_type="quarter", period_start=START, period_end=TODAY,
        generated_at=NOW,
        content_json={
            "version": 1, "headline": "H", "summary": "It went well.",
            "highlights": [{"metric_key": "roas", "comment": "Up."}],
            "concerns": [{"metric_key": "store_revenue", "comment": "Down."}],
            "recommendations": [
                {"title": "Go on", "rationale": "It pays.", "priority": "low", "platform": None,
                 "metric_key": None}
            ],
        },
    )  # fmt: skip
    writers.llm.always(reply)
    short = await prepare(http, tenant_a, acme)
    full = await in_full(http, tenant_a, acme, short["id"])
    assert len(writers.llm.asked) == 3
    assert short["summary"] == (
        f"This review looks at the results from {START} to {TODAY}. Spend came to 1,000 USD. "
        "Conversion value came to 4,200 USD. ROAS came to 4.2; it is on track for its goal. "
        "It went well."
    )
    assert (full["source_data"]["model"], full["source_data"]["prompt_version"]) == (None, None)
    assert [one["title"] for one in full["content"]["wins"]] == ["ROAS went well"]
    assert [one["title"] for one in full["content"]["challenges"]] == ["Store revenue needs a look"]
    assert full["content"]["recommendations"] == [
        {"title": "Go on", "rationale": "It pays.", "priority": "low", "owner": "agency"}
    ]
    assert len(await rows(db, tenant_a, "select 1 from ledger_entry")) == 3
    assert await rows(db, tenant_a, "select 1 from text_draft") == []


async def test_without_a_model_the_template_writes_and_no_insight_is_asked_for(
    app: FastAPI, http: httpx.AsyncClient, db: Database, temporal: Client, tenant_a: TenantPeople,
    acme: str,
) -> None:  # fmt: skip
    async with Writers.of_tenant(db, temporal, made(tenant_a), UNCONFIGURED) as nobody:
        app.dependency_overrides[commands._desk] = nobody.desk
        short = await prepare(http, tenant_a, acme)
    full = await in_full(http, tenant_a, acme, short["id"])
    assert short["summary"].startswith("This review looks at the results from")
    assert full["source_data"]["insight_id"] is None
    assert await rows(db, tenant_a, "select 1 from result_insight") == []


async def test_a_quarter_without_numbers_is_422(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers
) -> None:
    company_id = await make_client(db, made(tenant_a), "Empty")
    old = START - timedelta(days=1)
    await store_metric(db, made(tenant_a), company_id, "spend", old, [100])
    problem = await prepare(http, tenant_a, company_id, status=422)
    assert (problem["code"], writers.llm.asked) == ("UNPROCESSABLE", [])
    assert await rows(db, tenant_a, "select 1 from qbr") == []
    assert await rows(db, tenant_a, "select 1 from text_draft") == []


async def test_one_that_is_not_ready_in_time_is_503_and_a_repeat_joins_it(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str,
    services: Services, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    gate = Gate()
    writers.llm.then(Reply(text="no JSON", gate=gate))
    monkeypatch.setattr(services.settings, "api_workflow_wait_seconds", 0.5)
    answer = await http.post(
        f"/api/clients/{acme}/results/prepare-qbr", headers=tenant_a.member.headers
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    monkeypatch.setattr(services.settings, "api_workflow_wait_seconds", 20)
    several = [asyncio.create_task(prepare(http, tenant_a, acme)) for _ in range(2)]
    await gate.reached.wait()
    gate.open()
    first, second = await asyncio.gather(*several)
    assert first == second
    assert len(await rows(db, tenant_a, "select 1 from qbr")) == 1


async def test_operators_read_in_words_where_it_stands(
    http: httpx.AsyncClient, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await prepare(http, tenant_a, acme)
    handle = writers.temporal.get_workflow_handle(qbr_prep_workflow(acme, "results"))
    child = writers.temporal.get_workflow_handle(insight_workflow(acme, "quarter"))
    seen, inner = await handle.describe(), await child.describe()
    assert await seen.static_summary() == "QBR from results for Acme"
    assert await inner.static_summary() == "Insight about the quarter, for a QBR"


async def test_neither_words_nor_numbers_are_in_the_histories(
    http: httpx.AsyncClient, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    writers.llm.then(Reply(text="secret words"))
    await prepare(http, tenant_a, acme)
    for workflow_id in (qbr_prep_workflow(acme, "results"), insight_workflow(acme, "quarter")):
        handle = writers.temporal.get_workflow_handle(workflow_id)
        told = (await handle.fetch_history()).to_json()
        assert "secret words" not in told
        assert "4200" not in told


@pytest.mark.parametrize("is_promoted", [True, False])
async def test_a_client_that_is_not_there_is_404(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, tenant_b: TenantPeople,
    acme: str, is_promoted: bool,
) -> None:  # fmt: skip
    company_id = acme if is_promoted else await make_company(db, made(tenant_b))
    assert (await prepare(http, tenant_b, company_id, status=404))["code"] == "NOT_FOUND"


async def test_a_reviewer_may_not_prepare(
    http: httpx.AsyncClient, tenant_a: TenantPeople, acme: str
) -> None:
    answer = await http.post(
        f"/api/clients/{acme}/results/prepare-qbr", headers=tenant_a.reviewer.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_a_repeat_with_the_same_key_answers_the_same_draft(
    http: httpx.AsyncClient, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    url = f"/api/clients/{acme}/results/prepare-qbr"
    headers = {**tenant_a.member.headers, "Idempotency-Key": "spring"}
    first = await http.post(url, headers=headers)
    second = await http.post(url, headers=headers)
    assert (first.status_code, first.json()) == (201, second.json())
    assert len(writers.llm.asked) == 2


async def test_a_draft_of_everything_has_the_metrics_of_its_window_and_the_newest_insight(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    before = TODAY - timedelta(days=100)
    await store_metric(db, made(tenant_a), acme, "spend", before, [500])
    await make_goal(db, made(tenant_a), acme)
    await make_goal(db, made(tenant_a), acme, metric="conversion_value", target=9000)
    await store_insight(db, made(tenant_a), acme, id="newest")

    def named(given: Mapping[str, Any]) -> Reply:
        draft = json.loads(qbr()(given).text)
        draft["challenges"] = [{"source_ids": ["roas"], "title": "T", "detail": "D."}]
        draft["wins"] = [{"source_ids": ["newest"], "title": "T", "detail": "D."}]
        return Reply(text=json.dumps(draft))

    writers.llm.then(named)
    answer = await http.post(f"/api/clients/{acme}/qbr/prepare", headers=tenant_a.member.headers)
    made_qbr = answer.json()["qbr"]
    spend, value, roas = made_qbr["source_data"]["metrics"]
    assert (spend["value"], spend["prior_value"], spend["delta_pct"]) == (1000, 500, 100)
    assert (roas["target"], roas["tracking_status"]) == (4, "on_track")
    assert (value["target"], value["tracking_status"]) == (None, None)
    assert made_qbr["source_data"]["insight_id"] == "newest"
    content = made_qbr["content"]
    assert [one["metric_key"] for one in content["performance"]] == [
        "spend", "conversion_value", "roas"
    ]  # fmt: skip
    assert (len(content["challenges"]), len(content["wins"])) == (1, 1)
