"""`IdempotencyKey`, for POSTs that may be sent twice, and the route class that keeps answers.

A router says `route_class=IdempotentRoute`; a handler declares `key: IdempotencyKey` and takes
the ids that it mints from `key.derived_id("campaign")`.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.http import replays
from api.http.auth import caller
from api.http.routing import HOLDS_KEY, marks
from models.ids import derived_id, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """The key of a request, or of nothing when the caller sent none."""

    tenant_id: str
    principal_id: str
    route: str
    value: str | None

    def derived_id(self, *prefix: str) -> str:
        """The same id for the same request, so that a repeat meets its own work."""
        if self.value is None:
            return new_id()
        return derived_id(*prefix, self.tenant_id, self.principal_id, self.route, self.value)


@marks(HOLDS_KEY)
async def _key(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern=replays.WELL_FORMED,
            description="Makes the call safe to repeat for 24 hours.",
            examples=["launch-spring-2026"],
        ),
    ] = None,
) -> RequestKey:
    principal = caller(request)
    return RequestKey(
        tenant_id=principal.tenant_id,
        principal_id=principal.id,
        route=replays.route_of(request),
        value=idempotency_key,
    )


IdempotencyKey = Annotated[RequestKey, Depends(_key)]


class IdempotentRoute(APIRoute):
    """Keeps the answers of handlers that declare an `IdempotencyKey`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            response = await handler(request)
            await replays.settle(request, response)
            return response

        return answer
