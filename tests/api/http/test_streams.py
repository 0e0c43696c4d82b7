"""Streams that miss nothing, repeat nothing, keep the order, and end when they should."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, update

from api.http import feeds
from api.http.services import Services
from models.db.database import Database
from models.ids import new_id
from models.queries.agents import stream
from models.queries.records import events
from models.queries.tenants import agent_id, system_campaign_id
from models.rules.vocabulary import EventKind
from models.tables.agent_activities import AgentActivity
from tests.api.conftest import TenantPeople, TokenFactory
from tests.api.http.streaming import Received, reading
from tests.api.serving import served

EVENTS = "/dashboard/v1/probe/events"


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    async with served(app) as address:
        yield address


async def publish(db: Database, tenant: TenantPeople, *numbers: int) -> None:
    async with db.tenant(tenant.id) as session:
        for number in numbers:
            payload = {"activityId": str(number), "title": "ü\n", "agentRole": None}
            await events.publish(session, tenant.id, EventKind.ACTIVITY_STARTED, payload)


def numbers(received: Sequence[Received]) -> list[int]:
    return [int(event.payload["activityId"]) for event in received]


async def test_new_events_arrive_as_they_are_written(
    address: str, tenant_a: TenantPeople, db: Database
):
    await publish(db, tenant_a, 1, 2)
    async with reading(address, EVENTS, tenant_a.reviewer.headers) as reader:
        await reader.opened()
        await publish(db, tenant_a, 3)
        assert await reader.next() == Received(
            3, "activity_started", {"activityId": "3", "title": "ü\n", "agentRole": None}
        )
        assert reader.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert reader.response.headers["cache-control"] == "no-store"
        assert reader.response.headers["x-accel-buffering"] == "no"


async def test_a_reader_goes_on_after_the_last_event_it_saw(
    address: str, tenant_a: TenantPeople, db: Database
):
    await publish(db, tenant_a, *range(1, 1301))  # More than a batch is read at once.
    async with reading(address, EVENTS, tenant_a.admin.headers, last=10) as reader:
        await publish(db, tenant_a, 1301)
        assert numbers(await reader.take(1291)) == list(range(11, 1302))


async def test_events_stay_inside_their_tenant(
    address: str, tenant_a: TenantPeople, tenant_b: TenantPeople, db: Database
):
    async with reading(address, EVENTS, tenant_b.admin.headers, last=0) as reader:
        await reader.opened()
        await publish(db, tenant_a, 1)
        await publish(db, tenant_b, 2)
        assert numbers([await reader.next()]) == [2]


@pytest.mark.parametrize("bad", ["x", "-1", "1.5", "9" * 30, "٣"])
async def test_an_id_that_is_none_is_400(address: str, tenant_a: TenantPeople, bad: str):
    async with httpx.AsyncClient(base_url=address) as client:
        headers = [*tenant_a.admin.headers.items(), ("Last-Event-ID", bad.encode())]
        answer = await client.get(EVENTS, headers=headers)  # type: ignore[arg-type]
    places = [item["location"] for item in answer.json()["errors"]]
    assert (answer.status_code, places) == (400, ["header.Last-Event-ID"])


async def test_many_readers_miss_nothing_while_writers_race(
    address: str, tenant_a: TenantPeople, db: Database
):
    total = 120

    async def write(first: int) -> None:
        for number in range(first, total + 1, 3):
            await publish(db, tenant_a, number)

    async def read() -> list[int]:
        async with reading(address, EVENTS, tenant_a.admin.headers, last=0) as reader:
            received = await reader.take(total)
            assert [event.seq for event in received] == list(range(1, total + 1))
            return numbers(received)

    readers = [asyncio.create_task(read()) for _ in range(10)]
    await asyncio.gather(*(write(first) for first in (1, 2, 3)))
    readers += [asyncio.create_task(read()) for _ in range(10)]
    seen = await asyncio.gather(*readers)
    assert all(sorted(one) == list(range(1, total + 1)) for one in seen)
    assert len({tuple(one) for one in seen}) == 1


async def test_a_reader_that_falls_behind_catches_up_from_the_record(
    address: str, tenant_a: TenantPeople, db: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(feeds, "_QUEUE_BYTES", 300)
    async with reading(address, EVENTS, tenant_a.admin.headers, last=0) as reader:
        await reader.opened()
        for first in range(1, 100, 9):
            await publish(db, tenant_a, *range(first, first + 9))
        assert numbers(await reader.take(99)) == list(range(1, 100))


async def test_lost_announcements_cost_time_and_not_events(
    address: str, tenant_a: TenantPeople, db: Database, owner_database_url: str
):
    async with reading(address, EVENTS, tenant_a.admin.headers) as reader:
        await reader.opened()
        url = owner_database_url.replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
            await owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where query ilike 'listen%' and datname = current_database()"
            )
        await publish(db, tenant_a, 1)
        assert numbers([await reader.next()]) == [1]


async def test_a_stream_ends_with_its_token(
    address: str, tenant_a: TenantPeople, tokens: TokenFactory
):
    token = tokens(tenant_a.admin.id, tenant_a.id, lifetime=timedelta(seconds=2))
    began = time.monotonic()
    async with reading(address, EVENTS, {"Authorization": f"Bearer {token}"}) as reader:
        assert await reader.rest() == []
    assert time.monotonic() - began < 5


async def test_streams_end_when_the_server_leaves(
    address: str, tenant_a: TenantPeople, services: Services
):
    async with reading(address, EVENTS, tenant_a.admin.headers) as reader:
        await reader.opened()
        services.hub.drain()
        assert await reader.rest(3) == []


async def test_the_last_reader_turns_the_feed_off(
    address: str, tenant_a: TenantPeople, services: Services
):
    async with reading(address, EVENTS, tenant_a.admin.headers) as reader:
        await reader.opened()
        assert services.feeds._feeds
    for _ in range(100):
        if not services.feeds._feeds:
            break
        await asyncio.sleep(0.05)
    assert not services.feeds._feeds
    assert not services.hub._watchers


async def test_waiting_readers_hold_no_connection(
    address: str, tenant_a: TenantPeople, db: Database
):
    tasks = []
    ready = asyncio.Semaphore(0)

    async def wait() -> None:
        async with reading(address, EVENTS, tenant_a.admin.headers) as reader:
            await reader.opened()
            ready.release()
            await reader.next()

    tasks = [asyncio.create_task(wait()) for _ in range(30)]  # The pool has 8 connections.
    for _ in tasks:
        await ready.acquire()
    await publish(db, tenant_a, 1)
    await asyncio.gather(*tasks)


# --- The log of an activity -------------------------------------------------------------------


@pytest.fixture
async def activity_id(tenant_a: TenantPeople, db: Database) -> str:
    activity_id = new_id()
    async with db.tenant(tenant_a.id) as session:
        await session.execute(
            insert(AgentActivity).values(
                id=activity_id, tenant_id=tenant_a.id,
                campaign_id=system_campaign_id(tenant_a.id), title="Post", type="blog_post",
                status="in_progress", agent_role="copywriter",
                assignee_id=agent_id(tenant_a.id, "copywriter"), input_prompt="Write.",
            )
        )  # fmt: skip
    return activity_id


class Scribe:
    """Writes an activity's log as a run does."""

    def __init__(self, db: Database, tenant: TenantPeople, activity_id: str) -> None:
        self._db, self._tenant, self._activity_id = db, tenant, activity_id

    async def log(
        self, run: str, kind: str, at: tuple[int, int] | None = None, /, **payload: Any
    ) -> None:
        turn, attempt = at or (None, None)
        async with self._db.tenant(self._tenant.id) as session:
            await stream.append(
                session, tenant_id=self._tenant.id, activity_id=self._activity_id, run_id=run,
                turn=turn, attempt=attempt, entries=[(kind, payload)],
            )  # fmt: skip

    async def say(self, run: str, *words: str, turn: int = 1, attempt: int = 1) -> None:
        for word in words:
            await self.log(run, "text_delta", (turn, attempt), delta=word)

    async def rest(self, status: str, **values: Any) -> None:
        async with self._db.tenant(self._tenant.id) as session:
            await session.execute(
                update(AgentActivity)
                .where(AgentActivity.id == self._activity_id)
                .values(status=status, **values)
            )


@pytest.fixture
def scribe(db: Database, tenant_a: TenantPeople, activity_id: str) -> Scribe:
    return Scribe(db, tenant_a, activity_id)


@pytest.fixture
def path(activity_id: str) -> str:
    return f"/dashboard/v1/probe/activities/{activity_id}/stream"


def words(received: Sequence[Received]) -> list[str]:
    return [event.payload.get("delta", event.event) for event in received]


async def test_the_current_run_is_sent_from_its_start_and_closes_when_it_ends(
    address: str, tenant_a: TenantPeople, scribe: Scribe, path: str, activity_id: str
):
    await scribe.say("run1", "old")
    await scribe.log("run1", "completed", status="awaiting_approval")
    await scribe.say("failed", "tried")
    await scribe.say("run2", "new ")
    async with reading(address, path, tenant_a.reviewer.headers) as reader:
        first = await reader.next()
        await scribe.say("run2", "words")
        await scribe.log("run2", "tool_call", (1, 1), name="web_fetch", input={"url": "x"})
        await scribe.log("run2", "completed", status="done")
        received = [first, *await reader.rest()]
    assert words(received) == ["new ", "words", "tool_call", "completed"]
    assert received[0] == Received(4, "text_delta", {"delta": "new ", "activityId": activity_id})
    assert received[-1].payload == {"status": "done", "activityId": activity_id}


async def test_words_of_a_cut_off_turn_are_not_sent_again(
    address: str, tenant_a: TenantPeople, scribe: Scribe, path: str
):
    await scribe.say("run", "cut ", "off")
    await scribe.log("run", "turn_reset", (1, 1), turn=1, attempt=1)
    await scribe.say("run", "whole", attempt=2)
    async with reading(address, path, tenant_a.admin.headers) as reader:
        assert words(await reader.take(2)) == ["turn_reset", "whole"]


async def test_a_reader_who_has_partial_words_is_told_to_drop_them(
    address: str, tenant_a: TenantPeople, scribe: Scribe, path: str
):
    await scribe.say("run", "cut ")
    async with reading(address, path, tenant_a.admin.headers) as reader:
        before = await reader.next()
        await scribe.say("run", "off")
    await scribe.log("run", "turn_reset", (1, 1), turn=1, attempt=1)
    await scribe.say("run", "whole", attempt=2)
    async with reading(address, path, tenant_a.admin.headers, last=before.seq) as reader:
        received = await reader.take(2)
    assert words(received) == ["turn_reset", "whole"]
    assert {"turn": 1, "attempt": 1}.items() <= received[0].payload.items()


async def test_resuming_goes_on_after_the_event(
    address: str, tenant_a: TenantPeople, scribe: Scribe, path: str
):
    await scribe.say("run", "a", "b", "c")
    async with reading(address, path, tenant_a.admin.headers, last=1) as reader:
        assert words(await reader.take(2)) == ["b", "c"]


async def test_one_that_waits_is_held_open_until_a_run_starts(
    address: str, tenant_a: TenantPeople, scribe: Scribe, path: str
):
    await scribe.say("run1", "question")
    await scribe.log("run1", "completed", status="awaiting_approval")
    await scribe.rest("awaiting_approval")
    async with reading(address, path, tenant_a.admin.headers) as reader:
        await reader.opened()
        await scribe.rest("in_progress")
        await scribe.say("run2", "answer")
        assert words([await reader.next()]) == ["answer"]


@pytest.mark.parametrize(
    ("status", "values", "event", "payload"),
    [
        ("done", {}, "completed", {"status": "done"}),
        ("failed", {"last_error": "model_error"}, "error", {"error": "model_error"}),
    ],
)
async def test_one_at_rest_says_so_at_once(
    address: str, tenant_a: TenantPeople, scribe: Scribe, path: str, activity_id: str,
    status: str, values: dict[str, str], event: str, payload: dict[str, str],
):  # fmt: skip
    await scribe.say("run", "words")
    await scribe.log("run", event, **payload)
    await scribe.rest(status, **values)
    async with reading(address, path, tenant_a.admin.headers) as reader:
        received = await reader.rest()
    assert received == [Received(2, event, {**payload, "activityId": activity_id})]
    async with reading(address, path, tenant_a.admin.headers, last=0) as reader:
        assert words(await reader.rest()) == ["words", event]
    async with reading(address, path, tenant_a.admin.headers, last=2) as reader:
        assert await reader.rest() == received


async def test_a_humans_finished_work_has_no_log_and_ends_all_the_same(
    address: str, tenant_a: TenantPeople, scribe: Scribe, path: str, activity_id: str
):
    await scribe.rest("done")
    async with reading(address, path, tenant_a.admin.headers) as reader:
        received = await reader.rest()
    assert received == [Received(0, "completed", {"status": "done", "activityId": activity_id})]


async def test_another_tenants_activity_is_not_found(
    address: str, tenant_b: TenantPeople, path: str
):
    async with httpx.AsyncClient(base_url=address) as client:
        answer = await client.get(path, headers=tenant_b.admin.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
