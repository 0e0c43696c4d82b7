"""Bringing a database to the newest schema; safe to run from several processes at once."""

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import models.migrations

_LOCK = 7_204_411  # One migration at a time, whoever starts it.


def migrate(owner_url: str, revision: str = "head") -> None:
    """Upgrade to `revision` in one transaction of the owner's role."""
    engine = sqlalchemy.create_engine(owner_url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.upgrade(_config(connection), revision)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(*models.migrations.__path__)))
    config.attributes["connection"] = connection
    return config
