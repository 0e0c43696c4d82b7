"""How tenants come to be: by an operator's command, and the demo's, the same everywhere."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from models.db.database import Database
from models.ids import derived_id, new_id
from models.queries import tenants
from models.queries.tenants import Human
from models.rules.vocabulary import Role
from models.settings import Settings

TENANT_NAME: Final = "Demo Agency"
TENANT_ID: Final = derived_id("demo-tenant")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTenant:
    """Who may act in the demo tenant."""

    id: str
    humans: dict[Role, Human]


def _human(role: Role, name: str, email: str) -> Human:
    return Human(id=derived_id("demo-human", role.value), name=name, email=email, role=role)


DEMO: Final = DemoTenant(
    id=TENANT_ID,
    humans={
        Role.ADMIN: _human(Role.ADMIN, "Dana Demo", "dana@demo.example"),
        Role.MEMBER: _human(Role.MEMBER, "Milo Demo", "milo@demo.example"),
        Role.REVIEWER: _human(Role.REVIEWER, "Rita Demo", "rita@demo.example"),
    },
)


async def found_tenant(
    settings: Settings,
    name: str,
    admin: Human,
    *,
    tenant_id: str | None = None,
    monthly_cap: Decimal | None = None,
) -> str:
    """Make a tenant with its first admin, or set the monthly cap of one that is there.

    Answers its id. A cap of None leaves the month unbounded.
    """
    own_id = tenant_id or new_id()
    database = Database(settings.database_url, 1)
    try:
        async with database.tenant(own_id) as db:
            await tenants.create_tenant(db, tenant_id=own_id, name=name, humans=[admin])
            await tenants.set_monthly_cap(db, own_id, monthly_cap)
    finally:
        await database.close()
    return own_id


async def ensure_demo_tenant(database: Database) -> DemoTenant:
    """Make the demo tenant where it is missing."""
    async with database.tenant(DEMO.id) as db:
        await tenants.create_tenant(
            db, tenant_id=DEMO.id, name=TENANT_NAME, humans=list(DEMO.humans.values())
        )
    return DEMO
