"""Bringing a database to the newest schema; safe to run from several processes at once."""

from dataclasses import asdict
from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.dialects.postgresql import insert

import models.migrations
from activities.llm.prices import PRICES
from models.tables.agent_runs import Price
from workers.postgres import APPLICATION, ensure_role

_LOCK = 7_204_411  # One migration at a time, whoever starts it.


def migrate(owner_url: str, revision: str = "head") -> None:
    """Upgrade to `revision` in one transaction of the owner's role."""
    engine = sqlalchemy.create_engine(owner_url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(connection), revision)
        if revision == "head":
            _add_prices(connection)


def _add_prices(connection: Connection) -> None:
    """Add the list prices that are not there; a row that somebody changed stays as it is."""
    rows = [asdict(price) for price in PRICES]
    connection.execute(insert(Price).on_conflict_do_nothing(), rows)


def prepare(owner_url: str, app_url: str) -> None:
    """Make the application's login role from its own URL, then migrate."""
    owner, application = make_url(owner_url), make_url(app_url)
    if application.username == APPLICATION and application.password:
        plain = owner.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as db:
            ensure_role(db, application.password)
    migrate(owner_url)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(*models.migrations.__path__)))
    config.attributes["connection"] = connection
    return config
