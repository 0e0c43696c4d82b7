"""Databases that nobody has used before: plans depend on what a table has held."""

from collections.abc import Iterator

import pytest

from tests import servers


@pytest.fixture
def database_name(postgres: servers.Postgres) -> Iterator[str]:
    name = postgres.create_database()
    yield name
    postgres.drop_database(name)
