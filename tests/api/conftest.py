"""The API over ASGI, two tenants with an admin, a member and a reviewer each, and their tokens."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from temporalio.client import Client

from activities.platforms.connectors import Connectors
from api.app import create_app, services_from
from api.http import commands
from api.http.services import Services
from models.db.database import Database
from models.ids import new_id
from models.logs import configure_logs
from models.queries.tenants import Human, create_tenant
from models.rules.vocabulary import Role
from models.settings import Settings
from tests.factories.agents import TenantMade
from tests.factories.records import Records
from tests.fakes.desk import RecordedDesk
from workers.billing import build_billing
from workers.container import build_answering


@pytest.fixture(scope="session", autouse=True)
def quiet_logs() -> None:
    """Log as the product does: what structlog does by itself draws every failure at length."""
    configure_logs(Settings(log_level="WARNING"))


class TokenFactory:
    """Signs tokens as the embedded issuer does; any claim can be changed or left out (None)."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.key = key

    def __call__(
        self,
        subject: str,
        tenant: str | None,
        role: str = "admin",
        *,
        lifetime: timedelta = timedelta(hours=1),
        **claims: Any,
    ) -> str:
        now = int(time.time())
        payload = {
            "sub": subject, "tenant": tenant, "role": role, "appAccess": "dashboard",
            "iat": now, "exp": now + int(lifetime.total_seconds()), "iss": "throughline",
        } | claims  # fmt: skip
        kept = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(kept, self.key, algorithm="EdDSA", headers={"kid": "test"})


@dataclass(frozen=True)
class Person:
    """A user with a token; `**person.auth` goes into a request."""

    id: str
    tenant_id: str
    name: str
    role: Role
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class TenantPeople:
    """A tenant and its three users."""

    id: str
    admin: Person
    member: Person
    reviewer: Person


def made(people: TenantPeople) -> TenantMade:
    """The tenant as the factories want it."""
    return TenantMade(id=people.id, admin_id=people.admin.id, member_id=people.member.id)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFactory:
    """The issuer, whose key lies in the data folder."""
    key = Ed25519PrivateKey.generate()
    (tmp_path / "signing_key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return TokenFactory(key)


async def make_tenant(database: Database, tokens: TokenFactory, name: str) -> TenantPeople:
    tenant_id = new_id()
    people = {
        role: Human(
            id=new_id(), name=f"{name} {role}", email=f"{role}@{name.lower()}.test", role=role
        )
        for role in (Role.ADMIN, Role.MEMBER, Role.REVIEWER)
    }
    async with database.tenant(tenant_id) as db:
        await create_tenant(db, tenant_id=tenant_id, name=name, humans=list(people.values()))
    persons = {
        role: Person(human.id, tenant_id, human.name, role, tokens(human.id, tenant_id, role))
        for role, human in people.items()
    }
    return TenantPeople(
        tenant_id, persons[Role.ADMIN], persons[Role.MEMBER], persons[Role.REVIEWER]
    )


@pytest.fixture
async def tenant_a(db: Database, tokens: TokenFactory) -> TenantPeople:
    return await make_tenant(db, tokens, "Aster")


@pytest.fixture
async def tenant_b(db: Database, tokens: TokenFactory) -> TenantPeople:
    return await make_tenant(db, tokens, "Borage")


@pytest.fixture
def api_settings(tmp_path: Path, database_url: str) -> Settings:
    """A data folder of its own; Temporal is where nobody answers, unless a test needs it."""
    return Settings(
        data_dir=tmp_path,
        database_url=database_url,
        temporal_address="127.0.0.1:1",
        log_level="WARNING",
    )


@pytest.fixture
def api_temporal() -> Client | None:
    """What commands go to. A folder whose commands are carried out returns `temporal` here."""
    return None


@pytest.fixture
def connectors() -> Connectors:
    """The platforms that the API can ask: none, unless a test needs them."""
    return Connectors()


@pytest.fixture
def services(
    api_settings: Settings,
    db: Database,
    tokens: TokenFactory,
    api_temporal: Client | None,
    connectors: Connectors,
) -> Services:
    return services_from(
        api_settings,
        billing=build_billing(api_settings),
        answering=build_answering(api_settings),
        connectors=connectors,
        database=db,
        temporal=api_temporal,
    )


_BUILT: dict[tuple[str, int], FastAPI] = {}


@pytest.fixture
def app_kind() -> str:
    """Under which name the application is kept; a folder with routes of its own has another."""
    return "product"


@pytest.fixture
async def app(services: Services, app_kind: str) -> AsyncIterator[FastAPI]:
    """The whole application, its lifespan included, on the test's own services.

    It is built once a process: reading its routes takes longer than most tests.
    """
    key = (app_kind, services.settings.api_max_body_bytes)
    if key not in _BUILT:
        _BUILT[key] = create_app(services)
    application = _BUILT[key]
    application.state.services = services
    application.dependency_overrides.clear()
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application; it does not stream, see `tests/api/serving.py` for that."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield client


@pytest.fixture
def records(db: Database, tenant_a: TenantPeople) -> Records:
    """Makes rows of tenant A."""
    return Records(db, tenant_a.id, tenant_a.admin.id)


@pytest.fixture
def foreign_records(db: Database, tenant_b: TenantPeople) -> Records:
    """Makes rows of tenant B."""
    return Records(db, tenant_b.id, tenant_b.admin.id)


@pytest.fixture
def desk(app: FastAPI) -> RecordedDesk:
    """What takes the commands of the test's requests: they are recorded, not sent."""
    recorded = RecordedDesk()
    app.dependency_overrides[commands._desk] = lambda: recorded
    return recorded
