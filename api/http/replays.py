"""A request's claim on its idempotency key: made before the work, settled or given back after it.

The claim is committed before the handler runs, so a second request sees that the first is under
way. The answer is stored with the work where the handler wrote to PostgreSQL, in one transaction;
a command is guarded a second time by its workflow id, which is derived from the key.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api.http.routing import SESSION
from api.http.services import services_of
from models.db.database import Session
from models.errors import Conflict
from models.queries.records import idempotency

HEADER: Final = "idempotency-key"
WELL_FORMED: Final = r"^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$"
_CLAIM: Final = "throughline.claim"
_RETRY_AFTER_S: Final = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request holds until the end of the lease."""

    scope: idempotency.Scope
    lease: datetime


class Replayed(Exception):
    """The request was answered before: here is the answer."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("answered before")
        self.status = status
        self.body = body


async def claim(
    request: Request, db: AsyncConnection, *, tenant_id: str, principal_id: str
) -> bool:
    """Claim the request's key, if it has one; raises when somebody else has it already."""
    key = request.headers.get(HEADER)
    if key is None or not re.match(WELL_FORMED, key):
        return False
    scope = idempotency.Scope(
        tenant_id=tenant_id, principal_id=principal_id, route=route_of(request), key=key
    )
    request_hash = await _hash(request, services_of(request).cursor_secret)
    for _ in range(3):
        lease, earlier = await idempotency.claim(db, scope, request_hash)
        if lease is not None:
            request.scope[_CLAIM] = Claim(scope, lease)
            return True
        # Neither claimed nor there: it was given back in between.
        if earlier is not None:
            _answer(earlier, request_hash)
    raise Conflict("Other requests with this key are under way.", retry_after=_RETRY_AFTER_S)


def _answer(earlier: idempotency.Earlier, request_hash: str) -> None:
    if earlier.request_hash != request_hash:
        raise Conflict("The idempotency key was used for another request.")
    if earlier.status is None:
        raise Conflict(
            "The first request with this key is still under way.", retry_after=_RETRY_AFTER_S
        )
    raise Replayed(earlier.status, earlier.body)


def route_of(request: Request) -> str:
    """The method and the path, as keys are scoped by them."""
    return f"{request.method} {request.url.path}"


async def settle(request: Request, response: Response) -> None:
    """Keep a good answer; with the handler's own transaction, if it had one."""
    held: Claim | None = request.scope.get(_CLAIM)
    if held is None or response.status_code >= 400:
        return
    work: Session | None = request.scope.get(SESSION)
    status, body = response.status_code, bytes(response.body)
    if work is not None:
        await idempotency.settle(work.db, held.scope, held.lease, status=status, body=body)
        return
    async with services_of(request).database.tenant(held.scope.tenant_id) as db:
        await idempotency.settle(db, held.scope, held.lease, status=status, body=body)


async def release(scope: Any) -> None:
    """Give the claim of a failed request back, before its caller hears of the failure."""
    held: Claim | None = scope.pop(_CLAIM, None)
    if held is None:
        return
    async with scope["app"].state.services.database.tenant(held.scope.tenant_id) as db:
        await idempotency.release(db, held.scope, held.lease)


async def _hash(request: Request, key: bytes) -> str:
    """A hash that is the same for the same body, however its JSON is spaced or its form split.

    It is keyed: a body may hold credentials, and nobody who reads the table can try out guesses.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.startswith(("multipart/", "application/x-www-form-urlencoded")):
        canonical = orjson.dumps(await _form_parts(await request.form()))
    else:
        body = await request.body()
        try:
            canonical = orjson.dumps(orjson.loads(body or b"{}"), option=orjson.OPT_SORT_KEYS)
        except orjson.JSONDecodeError:
            canonical = body
    return hmac.digest(key, b"request\x1f" + canonical, "sha256").hex()


async def _form_parts(form: FormData) -> list[list[str | None]]:
    parts: list[list[str | None]] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            digest = hashlib.sha256(await value.read()).hexdigest()
            await value.seek(0)
            parts.append([name, value.filename, digest])
        else:
            parts.append([name, value])
    return parts
