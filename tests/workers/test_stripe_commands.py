"""An operator connects a tenant's Stripe account: tried, sealed, shown without its key."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner

from models.db.database import Database
from models.db.vault import Sealed, vault
from models.ids import new_id
from models.queries.people import stripe_accounts
from models.settings import Settings, settings
from models.tables.records import AuditEntry
from tests.factories.agents import make_tenant
from tests.factories.records import Records
from tests.fakes.stripe import KEY, FakeStripe
from workers.cli import app


@pytest.fixture
def fake() -> FakeStripe:
    return FakeStripe()


@pytest.fixture
def served_fake(fake: FakeStripe) -> Iterator[str]:
    """Served by a thread: the commands run loops of their own."""
    server = uvicorn.Server(uvicorn.Config(fake.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server._serve()))
    thread.start()
    while not server.started:
        pass
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def here(
    tmp_path: Path, database_url: str, served_fake: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    monkeypatch.setenv("THROUGHLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("THROUGHLINE_DATABASE_URL", database_url)
    monkeypatch.setenv("THROUGHLINE_STRIPE_BASE_URL", served_fake)
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture
def tenant_id(database_url: str, here: Settings) -> str:
    async def make() -> str:
        database = Database(database_url, 1)
        made = await make_tenant(database)
        await database.close()
        return made.id

    return asyncio.run(make())


async def stored_key(here: Settings, tenant_id: str) -> str | None:
    database = Database(here.database_url, 1)
    try:
        async with database.tenant(tenant_id) as db:
            row = await stripe_accounts.one(db)
    finally:
        await database.close()
    if row is None:
        return None
    assert KEY.encode() not in row.sealed_key
    sealed = Sealed.split(row.key_id, row.sealed_key)
    return vault(here).open(sealed, stripe_accounts.place(tenant_id)).get_secret_value()


def run(command: str, tenant_id: str, **options):
    return CliRunner().invoke(app, ["stripe", command, "--tenant", tenant_id], **options)


def test_an_account_is_connected_shown_and_disconnected(here: Settings, tenant_id: str):
    connected = run("connect", tenant_id, input=f"{KEY}\n")
    assert (connected.exit_code, connected.output) == (0, "Connected: Aster Agency\n")
    assert asyncio.run(stored_key(here, tenant_id)) == KEY
    shown = run("show", tenant_id)
    assert shown.output.startswith("Aster Agency, connected ")
    gone = run("disconnect", tenant_id)
    assert (gone.exit_code, gone.output) == (0, "Disconnected.\n")
    assert asyncio.run(stored_key(here, tenant_id)) is None
    for command in ("show", "disconnect"):
        again = run(command, tenant_id)
        assert again.exit_code == 1
        assert "no connected Stripe account" in again.output
    assert KEY[-8:] not in connected.output + shown.output + gone.output

    async def audited() -> list[str]:
        database = Database(here.database_url, 1)
        rows = await Records(database, tenant_id, "").all(AuditEntry)
        await database.close()
        return [f"{row.entity_type} {row.action} {row.changes}" for row in rows]

    assert asyncio.run(audited()) == [
        "stripe_account connected {'name': 'Aster Agency'}", "stripe_account disconnected {}",
    ]  # fmt: skip


def test_the_key_may_come_from_a_variable_and_replaces_the_one_before(
    here: Settings, tenant_id: str, fake: FakeStripe
):
    run("connect", tenant_id, input=KEY)
    fake.key = "rk_test_another_key"
    assert run("connect", tenant_id, env={"STRIPE_API_KEY": fake.key}).exit_code == 0
    assert asyncio.run(stored_key(here, tenant_id)) == fake.key


def test_a_key_that_stripe_does_not_take_is_not_kept(
    here: Settings, tenant_id: str, fake: FakeStripe
):
    refused = run("connect", tenant_id, input="rk_test_wrong_00000000")
    assert refused.exit_code == 1
    assert "does not accept" in refused.output
    fake.denied = {"refunds"}
    lacking = run("connect", tenant_id, input=KEY)
    assert lacking.exit_code == 1
    assert "rak_refund_read" in lacking.output
    assert asyncio.run(stored_key(here, tenant_id)) is None
    assert "00000000" not in refused.output


def test_without_a_key_or_a_tenant_nothing_is_tried(
    here: Settings, tenant_id: str, fake: FakeStripe
):
    assert "No key" in run("connect", tenant_id, input="\n").output
    unknown = run("connect", new_id(), input=KEY)
    assert (unknown.exit_code, "no such tenant" in unknown.output) == (1, True)
    assert fake.calls == []


def test_a_key_is_never_taken_from_the_arguments(here: Settings, tenant_id: str):
    answer = CliRunner().invoke(app, ["stripe", "connect", "--tenant", tenant_id, KEY])
    assert answer.exit_code == 2
    assert "STRIPE_API_KEY" not in os.environ
    assert KEY not in sys.argv
