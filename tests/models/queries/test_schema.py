"""What the migrations make is what the tables say."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from models.tables import Base

pytestmark = pytest.mark.fresh_database


def test_migrations_and_tables_do_not_drift_apart(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    with engine.connect() as db:
        differences = compare_metadata(MigrationContext.configure(db), Base.metadata)
    engine.dispose()
    assert differences == []


@pytest.mark.parametrize(("currency", "taken"), [("EUR", True), ("eur", False), ("Euro", False)])
def test_a_tenants_currency_is_a_code(owner_database_url: str, currency: str, taken: bool) -> None:
    engine = create_engine(owner_database_url)
    with engine.connect() as db:
        rule = db.execute(
            text(
                "select pg_get_constraintdef(oid) from pg_constraint"
                " where conname = 'ck_tenant_currency'"
            )
        ).scalar_one()
        held = db.execute(
            text(f"select {rule.removeprefix('CHECK ')} from (values (:code)) as t(currency)"),
            {"code": currency},
        ).scalar_one()
    engine.dispose()
    assert held is taken
