"""Who calls, and what they may do: `Reader`, `Writer`, `Commenter`, `Admin`, `Public`.

The rights are checked in `api/http/entry.py`, before anything else of the route is looked at. What
a handler declares here says which right it asks for, and hands it the caller.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from models.contracts.actors import Actor
from models.errors import Forbidden
from models.rules.permissions import CATALOGUE, holds, platform_role
from models.rules.vocabulary import PrincipalType, Role

CALLER: Final = "throughline.caller"
"""Where the scope keeps the caller."""


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


def caller(request: Request) -> Principal:
    """The signed-in caller; a route that asks for no right has none."""
    principal = request.scope.get(CALLER)
    if not isinstance(principal, Principal):
        raise LookupError("the route declares no right, so nobody has signed in")
    return principal


@dataclass(frozen=True)
class Level:
    """A right that a route asks for, as a dependency; `refuse` raises for those without it."""

    name: str
    allows: Callable[[Principal], bool]

    async def __call__(self, request: Request) -> Principal:
        return caller(request)

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
