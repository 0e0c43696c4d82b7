"""Fixtures that every test folder shares: servers, fresh databases, Temporal clients."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from models.db.database import Database
from models.logs import PLAIN
from models.settings import Settings
from tests import servers
from workers.processes import program
from workflows.client import connect
from workflows.interceptors import DomainErrors


def pytest_configure(config: pytest.Config) -> None:
    structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=PLAIN)])
    # Only the main process opens the folder; xdist workers inherit its name.
    if not hasattr(config, "workerinput"):
        folder = servers.open_folder()
        config.add_cleanup(lambda: servers.close_folder(folder))


# What starts processes of its own takes longest: begun last, it would keep one process busy alone.
SLOWEST = ("tests/journeys/", "tests/workers/test_embedded.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(SLOWEST))


@pytest.fixture(scope="session")
def postgres() -> servers.Postgres:
    """The session's PostgreSQL; `create_database()` copies a migrated one in a moment."""
    return servers.Postgres()


@pytest.fixture
def database_name(postgres: servers.Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without any row, and one that never had any where the test is marked so."""
    if request.node.get_closest_marker("fresh_database"):
        name = postgres.create_database()
        yield name
        postgres.drop_database(name)
    else:
        name = postgres.borrow_database()
        yield name
        postgres.give_back(name)


@pytest.fixture
def database_url(postgres: servers.Postgres, database_name: str) -> str:
    """A fresh database as the application's role sees it."""
    return postgres.app_url(database_name)


@pytest.fixture
def owner_database_url(postgres: servers.Postgres, database_name: str) -> str:
    """The same database as its owner sees it, past row-level security."""
    return postgres.owner_url(database_name)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The application's own pool on a fresh database."""
    database = Database(database_url, pool_size=8)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def temporal_address() -> str:
    """The session's Temporal dev server, shared by all tests: use ids of your own."""
    return servers.temporal_address()


@pytest.fixture
async def temporal(temporal_address: str) -> Client:
    """A client of the shared dev server, with the product's converter and interceptors."""
    return await connect(Settings(temporal_address=temporal_address))


@pytest.fixture
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server of its own on which timers cost nothing: days pass while everybody waits."""
    environment = await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter,
        interceptors=[DomainErrors()],
        test_server_existing_path=program("temporal-test-server"),
    )
    async with environment:
        yield environment
