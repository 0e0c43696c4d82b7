"""What every request passes through: its id, size, transaction, headers, log line, metrics.

The transaction of a request ends here, after the handler and before the first byte of the answer:
a commit that fails becomes an error answer and never follows a 201.

One plain ASGI middleware, because a chain of them, each with its own wrapped `send`, would cost
more than the requests themselves.
"""

import os
import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import metrics, replays
from api.http.access_log import AccessLog
from api.http.auth import CALLER
from api.http.problems import unforeseen
from api.http.routing import SESSION, Routing, body_limit_of
from models.db.database import Session

_log = structlog.get_logger(__name__)

_REQUEST_ID: Final = re.compile(rb"^[A-Za-z0-9._:-]{1,128}$")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_NO_STORE: Final = (b"cache-control", b"no-store")
_READ_OFF: Final = 16 * 1024 * 1024
"""How much of a refused body is still read, so that its sender gets to see the answer."""
_NAMED: Final = ("campaign_id", "activity_id", "approval_id")


class Gateway:
    """Wraps the application; `limit` bounds the bodies of routes that set no bound themselves."""

    def __init__(self, app: ASGIApp, *, routing: Routing, log: AccessLog, limit: int) -> None:
        self._app = app
        self._routing = routing
        self._log = log
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(scope, receive, send, self._limit)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=scope["request_id"])
        try:
            await self._app(scope, passage.receive, passage.send)
        except Exception as error:
            if passage.status:
                raise  # Half an answer is out: all that is left is to cut the connection.
            await unforeseen(scope, error)(scope, passage.receive, passage.send)
        finally:
            await passage.leave()
            self._note(scope, passage)

    def _note(self, scope: Scope, passage: "_Passage") -> None:
        endpoint = scope.get("endpoint")
        route = self._routing.of(endpoint).template if endpoint else "(none)"
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        seconds = time.perf_counter() - passage.began
        metrics.count(method, route, passage.status or 499)
        if passage.is_stream:
            metrics.stream_closed()
        else:
            metrics.time(method, route, seconds)
        if scope["path"] in _QUIET:
            return
        known: dict[str, Any] = {
            name: value for name, value in scope.get("path_params", {}).items() if name in _NAMED
        }
        if (principal := scope.get(CALLER)) is not None:
            known |= {"tenant_id": principal.tenant_id, "principal_id": principal.id}
        self._log.write(
            request_id=scope["request_id"], method=method, route=route, path=scope["path"],
            status=passage.status, ms=round(seconds * 1000, 2), **known,
        )  # fmt: skip


@dataclass(slots=True)
class _Passage:
    """One request on its way through."""

    scope: Scope
    inner_receive: Receive
    inner_send: Send
    limit: int
    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    is_stream: bool = False
    _is_replaced: bool = False
    _received: int = 0
    _request_id: bytes = b""

    def __post_init__(self) -> None:
        given = next(
            (value for name, value in self.scope["headers"] if name == b"x-request-id"), b""
        )
        self._request_id = given if _REQUEST_ID.match(given) else os.urandom(16).hex().encode()
        self.scope["request_id"] = self._request_id.decode()

    async def receive(self) -> Message:
        if not self._received:
            self._check(_declared(self.scope))
        message = await self.inner_receive()
        if body := message.get("body"):
            self._received += len(body)
            self._check(self._received)
        return message

    def _check(self, size: int) -> None:
        # The route is known by the time that its body is asked for.
        if size > self.limit and size > body_limit_of(self.scope.get("endpoint"), self.limit):
            raise HTTPException(413)

    async def send(self, message: Message) -> None:
        if self._is_replaced:
            return
        if message["type"] == "http.response.start" and not self.status:
            if (failure := await self._conclude(message["status"])) is not None:
                await unforeseen(self.scope, failure)(self.scope, self.receive, self.send)
                self._is_replaced = True
                return
            self.status = message["status"]
            self._dress(message)
        await self.inner_send(message)

    async def _conclude(self, status: int) -> Exception | None:
        """End the transaction, and give a failed request's key back before its caller hears."""
        session: Session | None = self.scope.pop(SESSION, None)
        if session is not None and status < 400:
            try:
                await session.commit()
            except Exception as failure:  # Whatever it was, it did not happen.
                return failure
        elif session is not None:
            await session.give_up()
        if status >= 400:
            try:
                await replays.release(self.scope)
            except Exception as failure:  # The claim ends by itself, and the answer is known.
                _log.warning("claim.kept", error=repr(failure))
        return None

    async def leave(self) -> None:
        """Give back what a request still holds that ended without an answer."""
        session: Session | None = self.scope.pop(SESSION, None)
        if session is not None:
            await session.give_up()

    def _dress(self, message: Message) -> None:
        headers = [*message.get("headers", ()), (b"x-request-id", self._request_id), *_HEADERS]
        names = {name: value for name, value in headers}
        if b"cache-control" not in names:
            headers.append(_NO_STORE)
        if names.get(b"content-type", b"").startswith(b"text/event-stream"):
            self.is_stream = True
            metrics.stream_opened()
        if self.status == 413 and _declared(self.scope) > _READ_OFF:
            headers.append((b"connection", b"close"))
        message["headers"] = headers


def _declared(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(length) if length.isdigit() else 0
