"""Who calls, and what they may do: `Reader`, `Writer`, `Commenter`, `Admin`, `Public`.

A request begins with one round trip that opens its transaction and reads the caller's stored row.
The lesser of the token's role and the stored one counts, so a demotion holds from the next request.
Where the handler declares `ReadDb` or `WriteDb` the same transaction goes on; where it does not,
it ends here, and a command or a stream holds no connection.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from api.http import replays
from api.http.routing import SIGNS_IN, facts_of, marks
from api.http.services import services_of
from api.http.tokens import Claims
from models.contracts.actors import Actor
from models.errors import Forbidden, Unauthenticated
from models.rules.permissions import CATALOGUE, holds, platform_role
from models.rules.vocabulary import PrincipalType, Role

_STORED: Final = (
    "select name, role, status from principal where id = %(id)s and type = 'human' "
    "and tenant_id = %(tenant_id)s"
)
_RANK: Final = {Role.REVIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The signed-in person; `role` is what both the token and the record allow."""

    id: str
    tenant_id: str
    role: Role
    name: str
    token_expires_at: float
    ip: str | None = None

    @property
    def actor(self) -> Actor:
        """The person as the audit log knows them."""
        return Actor(id=self.id, type=PrincipalType.HUMAN, name=self.name, ip=self.ip)

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A caller, with the transaction of the request where its handler asked for one."""

    principal: Principal
    db: AsyncConnection | None


@marks(SIGNS_IN)
async def signed_in(request: Request) -> AsyncIterator[SignedIn]:
    """Check the token, the application, the rate, the stored role and the route's rights."""
    services, facts = services_of(request), facts_of(request)
    claims = await services.verifier.verify(_bearer(request))
    if claims.app_access != "dashboard" and facts.template.startswith("/dashboard/"):
        raise Forbidden("The token does not give access to the dashboard.")
    services.limiter.take(claims.subject)
    question = {"id": claims.subject, "tenant_id": claims.tenant_id}
    async with services.database.tenant_asking(claims.tenant_id, _STORED, question) as (db, row):
        principal = _principal(claims, row, request.client.host if request.client else None)
        request.scope["principal"] = principal
        for level in facts.levels:
            level.refuse(principal)
        claimed = facts.idempotent and await replays.claim(
            request, db, tenant_id=principal.tenant_id, principal_id=principal.id
        )
        if facts.holds_database and not claimed:
            yield SignedIn(principal, db)
            return
    # A claim is committed before the work begins: others must see that it is under way.
    if not facts.holds_database:
        yield SignedIn(principal, None)
        return
    async with services.database.tenant(principal.tenant_id) as db:
        request.scope[replays.WORK] = db
        yield SignedIn(principal, db)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("A bearer token is needed.")
    return token.strip()


def _principal(claims: Claims, row: tuple[Any, ...] | None, ip: str | None) -> Principal:
    if row is None or row[2] != "active":
        raise Unauthenticated("The token's user is not, or no longer, a user of this tenant.")
    name, stored = row[0], Role(row[1])
    role = stored if claims.role is None else min(stored, claims.role, key=_RANK.__getitem__)
    return Principal(
        id=claims.subject,
        tenant_id=claims.tenant_id,
        role=role,
        name=name,
        token_expires_at=claims.expires_at,
        ip=ip,
    )


SignedInHere = Annotated[SignedIn, Depends(signed_in, scope="function")]


@dataclass(frozen=True)
class Level:
    """A right that a route asks for, as a dependency; `refuse` raises for those without it."""

    name: str
    allows: Callable[[Principal], bool]

    async def __call__(self, session: SignedInHere) -> Principal:
        return session.principal

    def refuse(self, principal: Principal) -> None:
        """Raise unless the principal has the right."""
        if not self.allows(principal):
            raise Forbidden(f"This needs the right '{self.name}'.")


def permission(resource: str, action: str) -> Level:
    """The right `perm:<resource>:<action>` of the catalogue."""
    if (resource, action) not in CATALOGUE:
        raise LookupError(f"the catalogue has no permission {resource}:{action}")
    return Level(
        f"{resource}:{action}",
        lambda principal: holds(platform_role(principal.role), resource, action),
    )


async def _anyone() -> None:
    return None


Reader = Annotated[Principal, Depends(Level("member", lambda _: True))]
"""Any signed-in user, on GET."""
Commenter = Annotated[Principal, Depends(Level("comment", lambda _: True))]
"""Any signed-in user, on what reviewers may do besides reading."""
Writer = Annotated[
    Principal, Depends(Level("write", lambda principal: principal.role is not Role.REVIEWER))
]
"""Members and admins, on everything that changes something."""
Admin = Annotated[Principal, Depends(Level("admin", lambda principal: principal.is_admin))]
"""Admins alone."""
Public = Annotated[None, Depends(_anyone)]
"""Nobody has to sign in."""
