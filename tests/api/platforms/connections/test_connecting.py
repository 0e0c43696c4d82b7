"""Connecting a platform: tried before anything is stored, kept sealed, never twice."""

import asyncio
import hashlib
import json
from typing import Any, cast

import httpx
import orjson
import pytest

from activities.connectors.ports import Account
from activities.platforms import trials
from api.http.services import Services
from models.db.vault import Sealed
from models.errors import Unavailable
from models.queries.platforms import connection_keys
from models.rules.platforms.registry import PlatformId
from models.tables.clients import AdoptionWeek
from models.tables.records import IdempotencyKey
from tests.api.conftest import TenantPeople
from tests.api.platforms.connections.conftest import Office
from tests.factories.clients import make_company
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk
from workers.fakes.meta_ads import FakeMeta

META, GOOGLE, SHOPIFY = PlatformId.META_ADS, PlatformId.GOOGLE_ADS, PlatformId.SHOPIFY
KLAVIYO, LINKEDIN = PlatformId.KLAVIYO, PlatformId.LINKEDIN_ADS


def located(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "VALIDATION_ERROR"
    return {one["location"]: one["value"] for one in answer.json()["errors"]}


@pytest.mark.parametrize("platform", list(PlatformId))
async def test_good_credentials_are_tried_and_kept_sealed(
    office: Office, desk: RecordedDesk, platform: PlatformId, services: Services
) -> None:
    answer = await office.connects(platform)
    assert answer.status_code == 201, answer.text
    connection = answer.json()["connection"]
    (row,) = await office.rows()
    assert office.vendor(platform).calls
    place = connection_keys.place(office.made.id, row.id)
    opened = services.keys._vault().open(Sealed.split(row.key_id, row.sealed_credentials), place)
    assert json.loads(opened.get_secret_value()) == office.good(platform)
    assert connection | {"platform": platform, "status": "active", "source": "manual"} == connection
    assert connection["id"] == row.id
    assert connection["account_id"] == row.account_id is not None
    assert await office.events() == [("client.connection_created", office.person.id)]


async def test_what_was_connected_is_told_in_full(office: Office, desk: RecordedDesk) -> None:
    connection = (await office.connects(META, display_name="Ads, Europe")).json()["connection"]
    at = connection["connected_at"]
    assert connection == {
        "id": connection["id"],
        "company_id": office.company_id,
        "platform": "meta_ads",
        "status": "active",
        "source": "manual",
        "connected_by_user_id": office.person.id,
        "connected_at": at,
        "last_synced_at": None,
        "last_sync_error": None,
        "store_url": None,
        "account_id": office.good(META)["ad_account_id"].removeprefix("act_"),
        "display_name": "Ads, Europe",
        "scopes": connection["scopes"],
        "token_expires_at": connection["token_expires_at"],
        "created_at": at,
        "updated_at": at,
    }
    assert "ads_read" in connection["scopes"]


async def test_without_a_name_the_platform_names_the_account(
    office: Office, desk: RecordedDesk
) -> None:
    connection = (await office.connects(SHOPIFY, display_name=None)).json()["connection"]
    assert connection["display_name"] == "Northwind Outfitters"
    assert connection["account_id"] == "client-1.myshopify.com"
    assert connection["store_url"] == "https://client-1.myshopify.com"


async def test_a_name_that_a_platform_gives_is_no_longer_than_one_that_people_give(
    office: Office, desk: RecordedDesk
) -> None:
    cast(FakeMeta, office.vendor(META)).account.name = "n" * 5000
    connection = (await office.connects(META)).json()["connection"]
    assert connection["display_name"] == "n" * 200


async def test_the_id_of_a_customer_is_kept_as_its_platform_writes_it(
    office: Office, desk: RecordedDesk
) -> None:
    given = office.good(GOOGLE)
    id = given["customer_id"]
    dashed = {**given, "customer_id": f"{id[:3]}-{id[3:6]}-{id[6:]}"}
    answer = await office.connects(GOOGLE, credentials=dashed)
    assert answer.json()["connection"]["account_id"] == id


async def test_a_new_connection_is_synced_in_the_background_and_shows_use(
    office: Office, desk: RecordedDesk, records: Records
) -> None:
    await office.connects(META)
    sync = desk.only
    assert (sync.name, sync.workflow_id) == ("ask", f"sync:{office.company_id}")
    assert (sync.start.tenant_id, sync.start.company_id) == (office.made.id, office.company_id)
    assert sync.argument.principal_id is None
    assert await records.count(AdoptionWeek) == 1


async def test_a_connection_stands_although_no_sync_can_begin_now(
    office: Office, desk: RecordedDesk
) -> None:
    desk.answers["ask"] = Unavailable("Temporal does not answer.", retry_after=5)
    assert (await office.connects(META)).status_code == 201
    assert [row.status for row in await office.rows()] == ["active"]


@pytest.mark.parametrize(
    ("body", "locations"),
    [
        ({"platform": "myspace"}, {"body.platform": "myspace"}),
        ({"credentials": {}}, {"body.credentials.access_token": None,
                               "body.credentials.ad_account_id": None}),
        ({"credentials": {"access_token": "EAAB", "ad_account_id": "my account"}},
         {"body.credentials.ad_account_id": None}),
        ({"credentials": {"access_token": "with blank", "ad_account_id": "12345"}},
         {"body.credentials.access_token": None}),
        ({"credentials": {"access_token": "t", "ad_account_id": "12345", "pin": "1"}},
         {"body.credentials.pin": None}),
        ({"credentials": {"access_token": 7, "ad_account_id": "12345"}},
         {"body.credentials.access_token": None}),
        ({"credentials": "EAAB"}, {"body.credentials": None}),
        ({"credentials": None}, {"body.credentials": None}),
        ({"display_name": "x" * 201}, {"body.display_name": "x" * 200}),
        ({"name": "x"}, {"body.name": "x"}),
    ],
)  # fmt: skip
async def test_what_is_malformed_is_named_and_nobody_is_asked(
    office: Office, desk: RecordedDesk, body: dict[str, Any], locations: dict[str, Any]
) -> None:
    assert located(await office.connects(META, **body)) == locations
    assert (office.vendor(META).calls, desk.sent, await office.rows()) == ([], [], [])


@pytest.mark.parametrize(
    "credentials",
    [
        {"property_id": "123456"},
        {"property_id": "123456", "service_account_json": '{"a":' * 3000},
        {"property_id": "123456", "refresh_token": "tök\u2028en"},
    ],
)
async def test_credentials_that_no_platform_could_read_are_refused(
    office: Office, desk: RecordedDesk, credentials: dict[str, str]
) -> None:
    found = located(await office.connects(PlatformId.GA4, credentials=credentials))
    assert all(location.startswith("body.credentials") for location in found)
    assert set(found.values()) == {None}


async def test_credentials_that_do_not_work_are_not_stored(
    office: Office, desk: RecordedDesk
) -> None:
    wrong = {**office.good(META), "access_token": "EAABwrongButWellFormedToken"}
    answer = await office.connects(META, credentials=wrong)
    assert located(answer) == {"body.credentials": None}
    assert "Meta" in answer.json()["errors"][0]["message"]
    assert "EAABwrong" not in answer.text
    assert (await office.rows(), await office.events(), desk.sent) == ([], [], [])


@pytest.mark.parametrize("fault", ["errors", "html", "cut", "odd", "quota"])
async def test_a_platform_that_is_down_connects_nothing_and_is_asked_once(
    office: Office, desk: RecordedDesk, fault: str
) -> None:
    setattr(office.vendor(KLAVIYO).faults, fault, 1)
    assert located(await office.connects(KLAVIYO)) == {"body.credentials": None}
    assert len(office.vendor(KLAVIYO).calls) == 1
    assert await office.rows() == []


async def test_a_platform_that_says_nothing_is_not_waited_for_long(
    office: Office, desk: RecordedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: Any) -> Account:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(office.platforms.connectors[META], "verify", silent)
    monkeypatch.setattr(trials.of_new, "__kwdefaults__", {"patience": 0.05})
    answer = await office.connects(META)
    assert located(answer) == {"body.credentials": None}
    assert answer.json()["errors"][0]["message"] == "Meta Ads did not answer in time."


def test_a_platform_has_fifteen_seconds() -> None:
    assert trials.of_new.__kwdefaults__ == {"patience": 15.0}
    assert trials.of_stored.__kwdefaults__ == {"patience": 15.0}


@pytest.mark.parametrize("platform", [GOOGLE, LINKEDIN])
async def test_without_its_application_settings_a_platform_is_unavailable(
    office: Office, desk: RecordedDesk, services: Services, platform: PlatformId,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in ("google_ads_developer_token", "linkedin_client_secret"):
        monkeypatch.setattr(services.settings, name, None)
    answer = await office.connects(platform)
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    assert office.vendor(platform).calls == []


async def test_a_platform_that_is_connected_is_a_conflict_and_is_not_asked(
    office: Office, desk: RecordedDesk
) -> None:
    await office.has(META)
    answer = await office.connects(META)
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
    assert (office.vendor(META).calls, desk.sent) == ([], [])


async def test_of_two_who_connect_at_once_one_is_told_of_the_other(
    office: Office, desk: RecordedDesk
) -> None:
    answers = await asyncio.gather(office.connects(META), office.connects(META))
    assert sorted(one.status_code for one in answers) == [201, 409]
    assert len(await office.rows()) == 1


async def test_an_expired_connection_is_replaced_and_a_disconnected_one_stays(
    office: Office, desk: RecordedDesk
) -> None:
    expired = await office.has(META, status="expired")
    answer = await office.connects(META)
    assert answer.status_code == 201
    rows = {row.id: row for row in await office.rows()}
    assert (rows[expired].status, rows[expired].sealed_credentials) == ("disconnected", None)
    new = answer.json()["connection"]["id"]
    assert (len(rows), rows[new].status) == (2, "active")


async def test_a_failed_attempt_leaves_the_expired_connection(
    office: Office, desk: RecordedDesk
) -> None:
    await office.has(META, status="expired")
    office.vendor(META).faults.revoked = True
    assert (await office.connects(META)).status_code == 400
    assert [row.status for row in await office.rows()] == ["expired"]


async def test_a_repeated_request_is_answered_alike_and_nothing_secret_is_kept_of_it(
    office: Office, desk: RecordedDesk, records: Records
) -> None:
    key = {"Idempotency-Key": "connect-meta"}
    first, again = await office.connects(META, key), await office.connects(META, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = {**office.good(META), "access_token": "EAABanother"}
    assert (await office.connects(META, key, credentials=other)).status_code == 409
    (kept,) = await records.all(IdempotencyKey)
    body = {"platform": "meta_ads", "credentials": office.good(META)}
    plain = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert kept.request_hash != plain
    assert office.good(META)["access_token"] not in repr(kept)


async def test_a_request_whose_answer_was_lost_finds_what_it_has_made(
    office: Office, desk: RecordedDesk
) -> None:
    desk.answers["ask"] = RuntimeError("cut off")
    key = {"Idempotency-Key": "connect-meta"}
    assert (await office.connects(META, key)).status_code == 500
    desk.answers.clear()
    answer = await office.connects(META, key)
    (row,) = await office.rows()
    assert (answer.status_code, answer.json()["connection"]["id"]) == (201, row.id)


async def test_a_company_that_is_no_client_is_not_found(
    office: Office, desk: RecordedDesk, tenant_a: TenantPeople
) -> None:
    never = await make_company(office.database, office.made)
    body = {"platform": META, "credentials": office.good(META)}
    for company in (never, "not-an-id"):
        answer = await office.http.post(
            f"/api/clients/{company}/connections", json=body, headers=tenant_a.member.headers
        )
        assert answer.status_code == 404
    assert office.vendor(META).calls == []
