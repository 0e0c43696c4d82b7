"""How every request enters: token, rate, text, filters, stored role, rights, transaction.

The one dependency that the whole application shares. It begins with a single round trip that opens
the request's transaction and reads the caller's stored row. The lesser of the token's role and the
stored one counts, so a demotion holds from the next request. Where the handler declares `ReadDb`
or `WriteDb` the transaction goes on, and `api/http/gateway.py` ends it before the answer leaves.
Where it does not, it ends here, and a command or a stream holds no connection.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request

from api.http import replays
from api.http.auth import CALLER, Principal
from api.http.filters import refuse_unknown_filters
from api.http.routing import SESSION, RouteFacts, facts_of
from api.http.services import Services, services_of
from api.http.text import refuse_unstorable_text
from api.http.tokens import Claims
from models.errors import Forbidden, Unauthenticated
from models.rules.vocabulary import Role

_STORED: Final = (
    "select name, role, status from principal"
    " where id = %(id)s and type = 'human' and tenant_id = %(tenant_id)s"
)
_RANK: Final[Mapping[Role, int]] = {Role.REVIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2}


async def entered(request: Request) -> None:
    """Let the request in, or refuse it."""
    services, facts, scope = services_of(request), facts_of(request), request.scope
    claims = await _signed(request, services, facts) if facts.levels else None
    refuse_unstorable_text(request)
    refuse_unknown_filters(request, facts)
    if claims is None:
        return
    question = {"id": claims.subject}
    session = await services.database.open(claims.tenant_id, _STORED, question)
    # From here on the gateway knows of it, and ends it whatever happens.
    scope[SESSION] = session
    principal = _principal(claims, session.answer, request.client.host if request.client else None)
    scope[CALLER] = principal
    for level in facts.levels:
        level.refuse(principal)
    claimed = facts.idempotent and await replays.claim(
        request, session.db, tenant_id=principal.tenant_id, principal_id=principal.id
    )
    if facts.holds_database and not claimed:
        return
    # A claim is committed before the work begins: others must see that it is under way.
    del scope[SESSION]
    await session.commit()
    if facts.holds_database:
        scope[SESSION] = await services.database.open(principal.tenant_id)


async def _signed(request: Request, services: Services, facts: RouteFacts) -> Claims:
    claims = await services.verifier.verify(_bearer(request))
    if claims.app_access != "dashboard" and facts.template.startswith("/dashboard/"):
        raise Forbidden("The token does not give access to the dashboard.")
    services.limiter.take(f"{claims.tenant_id}:{claims.subject}")
    return claims


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
