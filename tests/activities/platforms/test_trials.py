"""Trying credentials out: what a platform repeats of them is hidden, however it writes it."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import update

from activities.connectors.errors import (
    CredentialsRejected,
    PlatformBusy,
    PlatformError,
    QuotaExhausted,
    RequestRefused,
)
from activities.connectors.ports import Account, Credentials
from activities.platforms import trials
from activities.platforms.trials import Failed
from models.db.database import Database
from models.rules.platforms.registry import PlatformId
from models.tables.platforms import PlatformConnection
from tests.factories.agents import TenantMade, make_tenant
from tests.factories.clients import make_client
from tests.factories.platforms import Outside, connect, connection_row, outside
from workers.fakes.google import service_account

META, GA4 = PlatformId.META_ADS, PlatformId.GA4
SHORT = {"access_token": "a/b+c=d!", "ad_account_id": "12345"}
PRIVATE = json.loads(service_account())["private_key"]


@pytest.fixture
async def here() -> AsyncIterator[Outside]:
    async with outside() as found:
        yield found


def fails(here: Outside, platform: PlatformId, error: Exception, patch: pytest.MonkeyPatch) -> None:
    async def verify(_: Credentials) -> Account:
        raise error

    patch.setattr(here.connectors[platform], "verify", verify)


@pytest.mark.parametrize(
    "kind", [CredentialsRejected, QuotaExhausted, PlatformBusy, RequestRefused]
)
async def test_every_failure_is_told_in_the_platforms_words(
    db: Database, here: Outside, monkeypatch: pytest.MonkeyPatch, kind: type[PlatformError]
) -> None:
    fails(here, META, kind("Meta: something is wrong."), monkeypatch)
    told = await trials.of_new(here.keys(db), META, SHORT)
    assert told == Failed(message="Meta: something is wrong.")


@pytest.mark.parametrize(
    ("platform", "credentials", "echo"),
    [
        (META, SHORT, "a/b+c=d!"),
        (META, SHORT, quote("a/b+c=d!", safe="")),
        (META, {"access_token": 'q"uo\\ted', "ad_account_id": "1"}, json.dumps('q"uo\\ted')[1:-1]),
        (GA4, {"property_id": "1", "service_account_json": service_account()}, PRIVATE),
        (GA4, {"property_id": "1", "service_account_json": service_account()},
         json.dumps(PRIVATE)[1:-1]),
        (GA4, {"property_id": "1", "service_account_json": service_account()}, service_account()),
    ],
)  # fmt: skip
async def test_secrets_that_a_platform_repeats_are_hidden(
    db: Database, here: Outside, monkeypatch: pytest.MonkeyPatch,
    platform: PlatformId, credentials: dict[str, str], echo: str,
) -> None:  # fmt: skip
    fails(here, platform, RequestRefused(f"{echo} is wrong, so <{echo}> is."), monkeypatch)
    told = await trials.of_new(here.keys(db), platform, credentials)
    assert told == Failed(message="[hidden] is wrong, so <[hidden]> is.")


async def test_what_is_no_secret_stays_readable(
    db: Database, here: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(here, META, RequestRefused("Account 12345 is closed."), monkeypatch)
    told = await trials.of_new(here.keys(db), META, SHORT)
    assert told == Failed(message="Account 12345 is closed.")


async def test_a_token_that_was_renewed_meanwhile_is_tried_once_more(
    db: Database, here: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = PlatformId.LINKEDIN_ADS
    tenant: TenantMade = await make_tenant(db)
    company_id = await make_client(db, tenant)
    keys, credentials = here.keys(db), here.fakes.credentials[platform]
    id = await connect(db, tenant, company_id, platform, credentials, keys)
    connector: Any = here.connectors[platform]
    verify, asked = connector.verify, []

    async def slow(given: Credentials) -> Account:
        """While the first answer is on its way, somebody renews the token."""
        asked.append(given["access_token"])
        if len(asked) == 1:
            renewed = await connector.renew(given)
            sealed = keys.seal(tenant.id, id, renewed.credentials)
            async with db.tenant(tenant.id) as session:
                await session.execute(
                    update(PlatformConnection)
                    .where(PlatformConnection.id == id)
                    .values(sealed_credentials=sealed.joined)
                )
        found: Account = await verify(given)
        return found

    monkeypatch.setattr(connector, "verify", slow)
    told = await trials.of_stored(keys, tenant.id, id)
    assert isinstance(told, Account)
    assert len(set(asked)) == 2
    assert (await connection_row(db, tenant, id)).status == "active"
