"""Who gets in, and who no longer does."""

import httpx
import pytest
from fastapi import FastAPI

from api.http.auth import Reader
from api.http.db import ReadDb
from tests.api.conftest import TenantPeople


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    @app.get("/dashboard/v1/probe")
    async def probe(reader: Reader, db: ReadDb) -> dict[str, str]:
        return {"id": reader.id, "role": reader.role, "tenant": reader.tenant_id}

    return app


async def test_a_user_gets_in(http: httpx.AsyncClient, tenant_a: TenantPeople):
    answer = await http.get("/dashboard/v1/probe", headers=tenant_a.admin.headers)
    assert answer.json() == {"id": tenant_a.admin.id, "role": "admin", "tenant": tenant_a.id}
