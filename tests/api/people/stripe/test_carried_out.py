"""A link carried out by a real worker: the import, and where the key does not show up."""

import asyncio
import logging
import re
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.responses import Response
from temporalio.client import Client

from api.http import commands
from api.http.services import Services
from models.db.database import Database
from models.ids import new_id
from models.tables.clients import HistoryEvent
from models.tables.clients_revenue import RevenueEntry, StripeAccount
from models.tables.records import AuditEntry
from tests.api.conftest import TenantPeople
from tests.api.people.stripe.calls import link, url
from tests.factories.records import Records
from tests.fakes.stripe import KEY, FakeStripe
from tests.fakes.stripe_wire import refusal
from workers.container import Container
from workers.registry import agents_queue
from workers.worker import build_worker


def readable(history: str) -> str:
    """A history with what its payloads hold."""
    return re.sub(
        r'"data": "([A-Za-z0-9+/=]+)"', lambda found: b64decode(found[1]).decode(), history
    )


class TestCarriedOut:
    """With a real worker: the import, and where the key does not show up."""

    @pytest.fixture
    def api_temporal(self, temporal: Client) -> Client:
        return temporal

    @pytest.fixture
    async def worker(
        self,
        app: FastAPI,
        db: Database,
        temporal: Client,
        services: Services,
        monkeypatch: pytest.MonkeyPatch,
    ) -> AsyncIterator[None]:
        """A queue of the test's own: the server is shared."""
        queue = f"stripe-{new_id()}"
        defaults = dict(commands.Desk.tell_with_start.__kwdefaults__ or {})
        monkeypatch.setattr(
            commands.Desk.tell_with_start, "__kwdefaults__", defaults | {"task_queue": queue}
        )
        container = Container(
            settings=services.settings, db=db, temporal=temporal, llms={}, stripe=services.stripe
        )
        async with build_worker(temporal, agents_queue(container), task_queue=queue):
            yield

    async def test_linking_imports_and_the_key_is_nowhere_to_be_read(
        self,
        http: httpx.AsyncClient,
        db: Database,
        temporal: Client,
        worker: None,
        fake: FakeStripe,
        records: Records,
        tenant_a: TenantPeople,
        company_id: str,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        customer = fake.customer("Northwind", "billing@northwind.example")
        fake.invoice(customer, 12_000, tax=2_000, paid_at=datetime(2026, 2, 3, tzinfo=UTC))
        failed: list[Any] = []

        def once(call: Any) -> Response | None:
            if call.path == "/v1/invoices" and not failed:
                failed.append(call)
                return refusal(500, message=f"Oops, with {KEY}")
            return None

        fake.before = once
        texts = [(await link(http, tenant_a, company_id, customer["id"])).text]
        handle = temporal.get_workflow_handle(f"revenue-recalculation:{tenant_a.id}")
        await asyncio.wait_for(handle.result(), 30)
        (entry,) = await records.all(RevenueEntry)
        assert (entry.amount, entry.counted_on) == (Decimal(100), date(2026, 2, 3))
        fake.key = "rk_test_revoked"
        texts += [(await http.get(
            url(company_id, "search"), params={"q": "northwind"}, headers=tenant_a.admin.headers
        )).text]  # fmt: skip
        texts += [(await link(http, tenant_a, company_id, customer["id"])).text]
        again = temporal.get_workflow_handle(f"revenue-recalculation:{tenant_a.id}")
        await asyncio.wait_for(again.result(), 30)
        for run in (handle, again):
            texts.append(readable((await run.fetch_history()).to_json()))
        history = texts[-2]
        assert company_id in history
        assert len(failed) == 1
        for kind in (HistoryEvent, AuditEntry):
            texts += [repr(row) for row in await records.all(kind)]
        async with db.tenant(tenant_a.id) as session:
            texts.append(repr((await session.execute(select(StripeAccount.__table__))).all()))
        texts += [caplog.text, "".join(capfd.readouterr())]
        assert [text for text in texts if "PlantedSecret" in text or KEY[-8:] in text] == []
        # Nor does a history tell who the customer is.
        assert "northwind" not in (texts[3] + history).lower()
