"""Syncs and backfills over HTTP: started once, joined or refused, and in the history once."""

from typing import Any

import pytest

from models.errors import Conflict
from models.rules.platforms.registry import PlatformId
from tests.api.platforms.connections.conftest import Office
from tests.fakes.desk import Command, RecordedDesk

META, SHOPIFY = PlatformId.META_ADS, PlatformId.SHOPIFY


async def test_a_sync_is_started_in_the_name_of_who_asks(
    office: Office, desk: RecordedDesk
) -> None:
    await office.has(SHOPIFY)
    answer = await office.asks("POST", "sync")
    assert (answer.status_code, answer.json()) == (202, {"message": "Sync started"})
    assert (desk.only.name, desk.only.workflow_id) == ("ask", f"sync:{office.company_id}")
    assert desk.only.start.company_id == office.company_id
    assert desk.only.argument.principal_id == office.person.id


async def test_a_sync_that_runs_is_joined_in_nobodys_name(
    office: Office, desk: RecordedDesk
) -> None:
    await office.has()

    async def runs(command: Command) -> None:
        if command.start is not None:
            raise Conflict("It runs already.")

    desk.answers["ask"] = runs
    answer = await office.asks("POST", "sync")
    assert (answer.status_code, answer.json()) == (202, {"message": "Sync started"})
    assert [command.argument.principal_id for command in desk.sent] == [office.person.id, None]


@pytest.mark.parametrize("status", [None, "expired", "disconnected"])
async def test_without_an_active_connection_nothing_is_synced_or_filled(
    office: Office, desk: RecordedDesk, status: str | None
) -> None:
    if status is not None:
        await office.has(status=status)
    for path, body in [("sync", None), ("backfill", {"days": 30})]:
        answer = await office.asks("POST", path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "UNPROCESSABLE")
    assert desk.sent == []


@pytest.mark.parametrize("days", [30, 60, 90])
async def test_a_backfill_is_started_for_so_many_days(
    office: Office, desk: RecordedDesk, days: int
) -> None:
    await office.has()
    answer = await office.asks("POST", "backfill", {"days": days})
    assert (answer.status_code, answer.json()) == (
        202, {"message": f"Backfill started for {days} days"},
    )  # fmt: skip
    order = desk.only.argument
    assert (desk.only.name, desk.only.workflow_id) == (
        "start_alone", f"backfill:{office.company_id}",
    )  # fmt: skip
    assert (order.days, order.principal_id, order.tenant_id) == (
        days, office.person.id, office.made.id,
    )  # fmt: skip


@pytest.mark.parametrize(
    "body", [{"days": 7}, {"days": "30"}, {"days": 30.5}, {"days": None}, {}, {"days": 30, "x": 1}]
)
async def test_other_days_are_refused(office: Office, desk: RecordedDesk, body: Any) -> None:
    await office.has()
    assert (await office.asks("POST", "backfill", body)).status_code == 400
    assert desk.sent == []


async def test_a_backfill_that_runs_refuses_another(office: Office, desk: RecordedDesk) -> None:
    await office.has()
    desk.answers["start_alone"] = Conflict("It is under way already.")
    answer = await office.asks("POST", "backfill", {"days": 90})
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


async def test_a_shop_alone_cannot_be_filled_backwards(office: Office, desk: RecordedDesk) -> None:
    await office.has(SHOPIFY)
    answer = await office.asks("POST", "backfill", {"days": 30})
    assert (answer.status_code, answer.json()["code"]) == (422, "UNPROCESSABLE")
