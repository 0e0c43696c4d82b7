"""The demo tenant and its people, the same in every data folder."""

from dataclasses import dataclass
from typing import Final

from models.db.database import Database
from models.ids import derived_id
from models.queries import tenants
from models.queries.tenants import Human
from models.rules.vocabulary import Role

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


async def ensure_demo_tenant(database: Database) -> DemoTenant:
    """Make the demo tenant where it is missing."""
    async with database.tenant(DEMO.id) as db:
        await tenants.create_tenant(
            db, tenant_id=DEMO.id, name=TENANT_NAME, humans=list(DEMO.humans.values())
        )
    return DEMO
