"""Rows of tenant A, and commands that are recorded."""

import pytest
from fastapi import FastAPI

from api.http import commands
from models.db.database import Database
from tests.api.conftest import TenantPeople
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk


@pytest.fixture
def records(db: Database, tenant_a: TenantPeople) -> Records:
    return Records(db, tenant_a.id, tenant_a.admin.id)


@pytest.fixture
def foreign_records(db: Database, tenant_b: TenantPeople) -> Records:
    return Records(db, tenant_b.id, tenant_b.admin.id)


@pytest.fixture
def desk(app: FastAPI) -> RecordedDesk:
    """What takes the commands of the test's requests."""
    recorded = RecordedDesk()
    app.dependency_overrides[commands._desk] = lambda: recorded
    return recorded
