"""The wall between tenants, table by table, as the application's role meets it."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Table, create_engine, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db.database import Database
from models.tables import Base, TenantRow

OURS, THEIRS = "01K9TNT000000000000000000A", "01K9TNT000000000000000000B"
TENANT_TABLES: dict[str, Table] = {
    mapper.local_table.name: mapper.local_table
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, TenantRow) and isinstance(mapper.local_table, Table)
}
APPEND_ONLY = {
    "audit_entry", "client_health_score", "history_event", "ledger_entry", "tier_scoring",
}  # fmt: skip
SAMPLES: dict[type, Any] = {
    str: "x", int: 1, bool: False, Decimal: Decimal(1), date: date(2026, 1, 1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC), bytes: b"x",
}  # fmt: skip
CHECKED = {
    ("campaign", "status"): "active",
    ("agent_activity", "status"): "done",
    ("approval", "status"): "pending",
    ("principal", "type"): "human",
    ("principal", "status"): "active",
    ("adoption_week", "week"): date(2026, 1, 5),
    ("ad_campaign", "status"): "active",
    ("client", "status"): "active",
    ("client_goal", "period"): "month",
    ("connection_day", "level"): "account",
    ("connection_day", "state"): "missing",
    ("platform_connection", "status"): "disconnected",
    ("platform_connection", "source"): "manual",
    ("qbr", "status"): "draft",
    ("revenue_entry", "origin"): "nucleus",
    ("revenue_entry", "kind"): "invoice",
    ("revenue_entry", "original_currency"): "USD",
    ("tier_scoring", "source"): "manual",
    ("win", "source"): "manual",
    ("win", "status"): "confirmed",
}
# Columns that may be empty, but not all of them at once.
GIVEN = {"ledger_entry": {"company_id": "x"}}


def a_row(table: Table, tenant_id: str) -> dict[str, Any]:
    """A row with a value in every column that needs one."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.server_default is not None:
            continue
        if column.autoincrement is True:
            continue
        if isinstance(column.type, JSONB | ARRAY):
            row[column.name] = []
        else:
            row[column.name] = SAMPLES[column.type.python_type]
        row[column.name] = CHECKED.get((table.name, column.name), row[column.name])
    return row | GIVEN.get(table.name, {}) | {"tenant_id": tenant_id}


@pytest.fixture
def their_rows(owner_database_url: str) -> None:
    """One row of the other tenant in every table; foreign keys are no matter here."""
    engine = create_engine(owner_database_url)
    with engine.begin() as db:
        db.execute(text("select ensure_day_parts('2026-01-01', '2026-01-01')"))
        db.execute(text("set session_replication_role = replica"))
        for table in TENANT_TABLES.values():
            db.execute(insert(table).values(a_row(table, THEIRS)))
        db.execute(text("insert into tenant (id, name) values (:id, 'B')"), {"id": THEIRS})
    engine.dispose()


@pytest.fixture
async def ours(db: Database) -> AsyncIterator[AsyncConnection]:
    async with db.tenant(OURS) as session:
        await session.execute(text("select ensure_day_parts('2026-01-01', '2026-01-01')"))
        yield session


def test_every_table_with_a_tenant_forces_a_policy_both_ways(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    with engine.connect() as db:
        tables = db.execute(
            text(
                "select c.relname, c.relrowsecurity and c.relforcerowsecurity as walled, "
                "(select count(*) from pg_policy p where p.polrelid = c.oid "
                " and p.polcmd = '*' and p.polpermissive "
                " and pg_get_expr(p.polqual, c.oid) like '%current_setting(''app.tenant_id''%' "
                " and pg_get_expr(p.polwithcheck, c.oid) like '%current_setting(''app.tenant_id''%'"
                ") as policies, "
                "(select count(*) from pg_policy p where p.polrelid = c.oid) as all_policies "
                "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where n.nspname = 'public' and c.relkind in ('r', 'p') and (c.relname = 'tenant' "
                "or exists (select from pg_attribute a where a.attrelid = c.oid "
                "and a.attname = 'tenant_id' and not a.attisdropped))"
            )
        ).all()
    engine.dispose()
    assert {row.relname for row in tables} == set(TENANT_TABLES) | {"tenant"}
    unwalled = [
        row.relname
        for row in tables
        if not row.walled or row.policies != 1 or row.all_policies != 1
    ]
    assert unwalled == []


def test_the_applications_role_owns_nothing_and_bypasses_nothing(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    with engine.connect() as db:
        role = db.execute(
            text(
                "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as mighty, "
                "(select count(*) from pg_class c where c.relowner = r.oid) as owned "
                "from pg_roles r where rolname = 'throughline_app'"
            )
        ).one()
    engine.dispose()
    assert (role.mighty, role.owned) == (False, 0)


@pytest.mark.usefixtures("their_rows")
async def test_rows_of_another_tenant_are_neither_seen_nor_touched(ours: AsyncConnection) -> None:
    seen = {
        name: (await ours.execute(select(func.count()).select_from(table))).scalar_one()
        for name, table in TENANT_TABLES.items()
    }
    touched = {
        name: (await ours.execute(delete(table))).rowcount
        for name, table in TENANT_TABLES.items()
        if name not in APPEND_ONLY
    }
    assert {name for name, rows in seen.items() if rows} == set()
    assert {name for name, rows in touched.items() if rows} == set()
    assert (await ours.execute(text("select count(*) from tenant"))).scalar_one() == 0


@pytest.mark.usefixtures("their_rows")
async def test_without_a_tenant_nothing_is_there(db: Database) -> None:
    async with db.system() as session:
        seen = {
            name: (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in TENANT_TABLES.items()
        }
    assert {name for name, rows in seen.items() if rows} == set()


@pytest.mark.parametrize("name", sorted(TENANT_TABLES))
async def test_a_row_cannot_be_written_for_another_tenant(ours: AsyncConnection, name: str) -> None:
    table = TENANT_TABLES[name]
    with pytest.raises(ProgrammingError, match="row-level security"):
        await ours.execute(insert(table).values(a_row(table, THEIRS)))


@pytest.mark.parametrize("name", sorted(APPEND_ONLY))
async def test_what_is_appended_cannot_be_changed(ours: AsyncConnection, name: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await ours.execute(delete(TENANT_TABLES[name]))
