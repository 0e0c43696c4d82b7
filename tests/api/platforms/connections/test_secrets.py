"""With a real worker: syncs and backfills are in the history once, and credentials nowhere."""

import asyncio
import json
import logging
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, cast

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from temporalio.client import Client

from activities.llm.offline import OfflineLlm
from api.http import commands
from api.http.services import Services
from models.db.database import Database
from models.ids import new_id
from models.rules.platforms.credentials import secrets_of
from models.rules.platforms.registry import PlatformId
from models.tables.base import Base
from tests.api.platforms.connections.conftest import Office
from tests.fakes.desk import RecordedDesk
from workers.container import Container
from workers.fakes.google_ads import FakeGoogleAds
from workers.fakes.platforms import APP_SETTINGS
from workers.registry import agents_queue
from workers.worker import build_worker

TIKTOK = PlatformId.TIKTOK_ADS
STILL_GOOD: Final = {
    TIKTOK, PlatformId.LINKEDIN_ADS, PlatformId.GA4, PlatformId.GOOGLE_SEARCH_CONSOLE,
}  # fmt: skip
KEPT: Final = (
    "audit_entry", "connection_day", "event", "history_event", "idempotency_key", "notification",
    "platform_connection",
)  # fmt: skip
WRONG_DOCUMENT: Final = json.dumps(
    {"client_email": "x@y.test", "private_key": "-----BEGIN PRIVATE KEY-----\nPlantedWrongKey"}
)
WRONG: Final = {
    PlatformId.META_ADS: {"access_token": "EAABPlantedWrongTokenOfSomebody"},
    PlatformId.GOOGLE_ADS: {"refresh_token": "1//0gPlantedWrongTokenOfSomebody"},
    PlatformId.TIKTOK_ADS: {"access_token": "PlantedWrongTokenOfSomebody0001"},
    PlatformId.LINKEDIN_ADS: {"access_token": "AQPlantedWrongTokenOfSomebody01"},
    PlatformId.SHOPIFY: {"access_token": "shpat_PlantedWrongTokenOfSomebody"},
    PlatformId.GA4: {"service_account_json": WRONG_DOCUMENT},
    PlatformId.GOOGLE_SEARCH_CONSOLE: {"service_account_json": WRONG_DOCUMENT},
    PlatformId.KLAVIYO: {"api_key": "pk_PlantedWrongKeyOfSomebody01"},
    PlatformId.MAILCHIMP: {"api_key": "fedcba9876543210fedcba9876543210-us21"},
}


@pytest.fixture
def api_temporal(temporal: Client) -> Client:
    return temporal


@pytest.fixture
async def worker(
    app: FastAPI,
    db: Database,
    temporal: Client,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[None]:
    """A queue of the test's own: the server is shared."""
    queue = f"connections-{new_id()}"
    for name in ("update_with_start", "tell_with_start", "start_alone"):
        method: Any = getattr(commands.Desk, name)
        defaults = dict(method.__kwdefaults__ or {})
        monkeypatch.setattr(method, "__kwdefaults__", defaults | {"task_queue": queue})
    offline = OfflineLlm(0)
    container = Container(
        settings=services.settings, db=db, temporal=temporal, stripe=services.stripe,
        llms={"claude": offline, "offline": offline}, connectors=services.connectors,
    )  # fmt: skip
    async with build_worker(temporal, agents_queue(container), task_queue=queue):
        yield


async def test_a_start_is_in_the_history_once_and_a_second_backfill_is_refused(
    office: Office, worker: None, temporal: Client
) -> None:
    await office.has(TIKTOK)
    answers = await asyncio.gather(
        *(office.asks("POST", "backfill", {"days": 30}) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    await asyncio.gather(*(office.asks("POST", "sync") for _ in range(3)))
    for id in (f"backfill:{office.company_id}", f"sync:{office.company_id}"):
        await asyncio.wait_for(temporal.get_workflow_handle(id).result(), 50)
    assert sorted(await office.events()) == [
        ("client.backfill_started", office.person.id),
        ("client.sync_started", office.person.id),
    ]


async def test_credentials_are_nowhere_to_be_read(
    office: Office,
    app: FastAPI,
    worker: None,
    temporal: Client,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # Connected while no sync begins, so that the first one meets what is revoked.
    app.dependency_overrides[commands._desk] = lambda: RecordedDesk()
    texts = [text async for text in connected(office)]
    app.dependency_overrides.clear()
    ids = {row.platform: row.id for row in await office.rows()}
    for platform in set(PlatformId) - STILL_GOOD:
        office.vendor(platform).faults.revoked = True
    cast(FakeGoogleAds, office.vendor(PlatformId.GOOGLE_ADS)).issued.clear()
    asked = [("sync", None), ("backfill", {"days": 30}), (f"{ids['klaviyo']}/test", None)]
    texts += [(await office.asks("POST", path, body)).text for path, body in asked]
    histories = [await finished(temporal, office, kind) for kind in ("sync", "backfill")]
    assert all(office.company_id in history for history in histories)
    texts += [(await office.asks("GET", "")).text, (await office.asks("DELETE", ids[TIKTOK])).text]
    texts += [*histories, *[row async for row in stored(office)]]
    texts += [caplog.text, "".join(capfd.readouterr())]
    expired = {row.platform for row in await office.rows() if row.status == "expired"}
    assert expired == set(PlatformId) - STILL_GOOD
    needles = {needle for platform in PlatformId for needle in hidden(office, platform)}
    found = {(needle, text[:300]) for text in texts for needle in needles if needle in text}
    assert found == set()


async def connected(office: Office) -> AsyncIterator[str]:
    """What is answered to wrong credentials, by a platform that is down, and to good ones."""
    for platform in PlatformId:
        wrong = {**office.good(platform), **WRONG[platform]}
        key = {"Idempotency-Key": f"connect-{platform}"}
        refused = await office.connects(platform, key, credentials=wrong)
        office.vendor(platform).faults.errors = 1
        down = await office.connects(platform, key)
        made = await office.connects(platform, key)
        again = await office.connects(platform, key)
        answers = [refused, down, made, again]
        assert [one.status_code for one in answers] == [400, 400, 201, 201], down.text
        for answer in answers:
            yield answer.text


async def finished(temporal: Client, office: Office, kind: str = "sync") -> str:
    """Wait for the workflow to end; answers its history with what its payloads hold."""
    handle = temporal.get_workflow_handle(f"{kind}:{office.company_id}")
    await asyncio.wait_for(handle.result(), 50)
    history = (await handle.fetch_history()).to_json()
    return re.sub(
        r'"data": "([A-Za-z0-9+/=]+)"',
        lambda found: b64decode(found[1]).decode(errors="replace"),
        history,
    )


async def stored(office: Office) -> AsyncIterator[str]:
    """Every row that something was written down in, bytes included."""
    for name in KEPT:
        table = Base.metadata.tables[name]
        async with office.database.tenant(office.made.id) as db:
            rows = (await db.execute(select(table))).all()
        assert rows, name
        for row in rows:
            yield repr(row)


def hidden(office: Office, platform: PlatformId) -> Iterator[str]:
    """What must not be found: the secrets, parts of them, and those of the deployment."""
    yield "Planted"
    yield from (value for name, value in APP_SETTINGS.items() if "client_id" not in name)
    for credentials in (office.good(platform), WRONG[platform]):
        for secret in secrets_of(platform, credentials):
            yield secret
            yield secret[-16:]
            yield secret[8:28]
