"""Summaries of clients, over HTTP, with a real worker and a scripted model."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text, update
from temporalio.client import Client

from api.http import commands
from models.db.database import Database
from models.rules.clients.vocabulary import ClientStatus
from models.tables.clients import Client as ClientRow
from models.tables.clients import ClientSummary
from tests.api.conftest import TenantPeople, made
from tests.api.people.writing import eventful, writers
from tests.factories.clients import make_client, make_company
from tests.factories.results import AS_OF, store_insight
from tests.workflows.scripted_llm import Gate, Reply, busy
from tests.workflows.writing import UNCONFIGURED, Writers, summary

__all__ = ["writers"]

LIE = "Revenue rose by 37.4% to $91,000."


async def ask(
    http: httpx.AsyncClient, people: TenantPeople, company_id: str, status: int = 200
) -> dict[str, Any]:
    url = f"/api/clients/{company_id}/ai-summary"
    answer = await http.post(url, headers=people.member.headers)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def rows(db: Database, people: TenantPeople, sql: str) -> list[Any]:
    async with db.tenant(people.id) as session:
        return list((await session.execute(text(sql))).all())


async def change(db: Database, people: TenantPeople, statement: Any) -> None:
    async with db.tenant(people.id) as session:
        await session.execute(statement)


@pytest.fixture
async def acme(db: Database, tenant_a: TenantPeople) -> str:
    return await eventful(db, tenant_a, health_score=Decimal("42.5"))


async def test_a_summary_is_written_stored_and_told(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    body = await ask(http, tenant_a, acme)
    (stored,) = await rows(db, tenant_a, "select * from client_summary")
    (event,) = await rows(db, tenant_a, "select * from history_event")
    (entry,) = await rows(db, tenant_a, "select company_id, cost_usd from ledger_entry")
    assert body["ai_summary"] == stored.text
    assert 120 <= len(stored.text.split()) <= 220
    assert body["ai_summary_generated_at"] == f"{stored.generated_at:%Y-%m-%dT%H:%M:%SZ}"
    assert (stored.model, len(stored.input_hash)) == ("claude-sonnet-5-5", 64)
    assert stored.prompt_version.startswith("ai-summary-")
    assert (event.event_type, event.actor_id) == (
        "client.ai_summary_generated", tenant_a.member.id
    )  # fmt: skip
    assert tuple(entry) == (acme, Decimal("0.004000"))
    assert await rows(db, tenant_a, "select * from text_draft") == []


async def test_the_model_is_given_exactly_what_is_documented(
    http: httpx.AsyncClient, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await ask(http, tenant_a, acme)
    given = writers.llm.asked[0].given
    assert set(given) == {
        "client", "health_scores", "revenue", "goals", "wins", "qbrs", "meetings", "history",
        "success_profile", "insight",
    }  # fmt: skip
    assert (given["client"]["name"], given["client"]["tier"]) == ("Acme", "core")
    assert (given["revenue"]["source"], given["revenue"]["total"]) == ("nucleus", 1250.5)
    assert len(given["revenue"]["by_month"]) == 12
    assert [win["title"] for win in given["wins"]["newest"]] == ["Best February so far"]
    assert given["qbrs"][0]["outcomes"] == "More search."


async def test_the_content_of_the_newest_insight_is_among_the_sources(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    for headline, at in (("Newest", AS_OF), ("Older", AS_OF - timedelta(days=1))):
        content = {"version": 1, "headline": headline}
        await store_insight(db, made(tenant_a), acme, content_json=content, generated_at=at)
    await ask(http, tenant_a, acme)
    assert writers.llm.asked[0].given["insight"] == {"version": 1, "headline": "Newest"}


async def test_a_fresh_summary_of_the_same_facts_is_used_again_without_a_call(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    first = await ask(http, tenant_a, acme)
    assert await ask(http, tenant_a, acme) == first
    assert len(writers.llm.asked) == 1
    assert len(await rows(db, tenant_a, "select * from history_event")) == 1


async def test_the_workflow_too_uses_a_fresh_summary_again(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await ask(http, tenant_a, acme)
    await writers.sum_up(acme)
    assert len(writers.llm.asked) == 1


async def test_a_changed_fact_makes_a_new_summary(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await ask(http, tenant_a, acme)
    await change(db, tenant_a, update(ClientRow).values(status=ClientStatus.DORMANT))
    assert "dormant" in (await ask(http, tenant_a, acme))["ai_summary"]
    assert len(await rows(db, tenant_a, "select * from client_summary")) == 1


async def test_a_summary_of_yesterday_is_written_anew(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    await ask(http, tenant_a, acme)
    older = ClientSummary.generated_at - timedelta(hours=24)
    await change(db, tenant_a, update(ClientSummary).values(generated_at=older))
    await ask(http, tenant_a, acme)
    assert len(writers.llm.asked) == 2


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (Reply(text="Too short."), "The text has 2 words; it must have 120 to 220."),
        (Reply(text="word " * 230 + "."), "it must have 120 to 220"),
        (Reply(text="A very long-winded-word. " * 150), "it must have 120 to 220"),
        (Reply(text=f"{'internationalisation ' * 130}."), "it may have 2000"),
        (summary("\n# A heading"), "without headings, lists or markup"),
        (summary("\n- One thing."), "without headings, lists or markup"),
        (summary(LIE), "37.4; 91,000"),
    ],
)
async def test_an_answer_at_fault_is_asked_for_again_with_what_was_wrong(
    http: httpx.AsyncClient, tenant_a: TenantPeople, writers: Writers, acme: str, first: Any,
    told: str,
) -> None:  # fmt: skip
    writers.llm.then(first)
    await ask(http, tenant_a, acme)
    _, second = writers.llm.asked
    assert told in second.said


@pytest.mark.parametrize("answer", [Reply(text="Too short."), summary(LIE), busy()])
async def test_a_model_that_fails_for_good_is_502_and_the_last_summary_stays(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers, acme: str,
    answer: Any,
) -> None:  # fmt: skip
    first = await ask(http, tenant_a, acme)
    await change(db, tenant_a, update(ClientRow).values(status=ClientStatus.DORMANT))
    writers.llm.always(answer)
    problem = await ask(http, tenant_a, acme, status=502)
    assert problem["code"] == "UPSTREAM_FAILED"
    (stored,) = await rows(db, tenant_a, "select text from client_summary")
    assert stored.text == first["ai_summary"]
    assert len(writers.llm.asked) == 4


async def test_two_posts_at_once_are_one_summary(
    http: httpx.AsyncClient, tenant_a: TenantPeople, writers: Writers, acme: str
) -> None:
    gate = Gate()
    writers.llm.then(lambda given: Reply(text=summary()(given).text, gate=gate))
    both = [asyncio.create_task(ask(http, tenant_a, acme)) for _ in range(2)]
    await gate.reached.wait()
    await asyncio.sleep(0.3)
    gate.open()
    first, second = await asyncio.gather(*both)
    assert (first, len(writers.llm.asked)) == (second, 1)


async def test_a_client_with_nothing_but_a_name_is_summed_up(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, writers: Writers
) -> None:
    company_id = await make_client(db, made(tenant_a), "Studio 54")
    assert "Studio 54" in (await ask(http, tenant_a, company_id))["ai_summary"]


async def test_without_a_model_it_is_503(
    app: FastAPI, http: httpx.AsyncClient, db: Database, temporal: Client, tenant_a: TenantPeople,
    acme: str,
) -> None:  # fmt: skip
    async with Writers.of_tenant(db, temporal, made(tenant_a), UNCONFIGURED) as nobody:
        app.dependency_overrides[commands._desk] = nobody.desk
        problem = await ask(http, tenant_a, acme, status=503)
    assert "No language model is configured" in problem["detail"]


async def test_without_temporal_it_is_503(
    http: httpx.AsyncClient, tenant_a: TenantPeople, acme: str
) -> None:
    assert (await ask(http, tenant_a, acme, status=503))["code"] == "UNAVAILABLE"


async def test_another_tenants_client_and_a_company_that_is_none_are_not_there(
    http: httpx.AsyncClient, db: Database, tenant_a: TenantPeople, tenant_b: TenantPeople,
    acme: str,
) -> None:  # fmt: skip
    await ask(http, tenant_b, acme, status=404)
    await ask(http, tenant_a, await make_company(db, made(tenant_a)), status=404)


async def test_a_reviewer_may_not_ask_for_one(
    http: httpx.AsyncClient, tenant_a: TenantPeople, acme: str
) -> None:
    url = f"/api/clients/{acme}/ai-summary"
    answer = await http.post(url, headers=tenant_a.reviewer.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
