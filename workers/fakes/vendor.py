"""What all fake vendors share: they remember their calls and can be told to fail."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in; `form` and `body` as far as there is one."""

    method: str
    path: str
    query: Mapping[str, str]
    raw_query: str
    headers: Mapping[str, str]
    form: Mapping[str, str]
    body: Any


@dataclass
class Faults:
    """What goes wrong: each number is how many of the next calls fail that way, then all is well.

    A cut answer has the length it says but ends in the middle of its JSON. `doubled_pages` sends
    the last row of a page again on the next one.
    """

    revoked: bool = False
    quota: int = 0
    errors: int = 0
    html: int = 0
    cut: int = 0
    odd: int = 0
    doubled_pages: bool = False
    missing_rows: bool = False


Answerer = Callable[[Call], Response]


@dataclass
class FakeVendor(ABC):
    """A vendor; subclasses name their routes and how they refuse."""

    faults: Faults = field(default_factory=Faults)
    calls: list[Call] = field(default_factory=list)
    page_limit: int = 1000
    """The most that a page holds, whatever is asked for."""

    @property
    def app(self) -> Starlette:
        """The vendor as an ASGI application."""
        return Starlette(
            routes=[
                Route(path, self._guarded(answer), methods=["GET", "POST"])
                for path, answer in self.routes().items()
            ]
        )

    @abstractmethod
    def routes(self) -> Mapping[str, Answerer]:
        """What answers at which path."""

    @abstractmethod
    def refuse_token(self, call: Call) -> Response | None:
        """The refusal where the call has no valid token."""

    @abstractmethod
    def out_of_quota(self, call: Call) -> Response:
        """The refusal once the quota is used up."""

    @abstractmethod
    def broken(self, call: Call) -> Response:
        """The answer of a vendor that has failed."""

    def paths(self) -> list[str]:
        """Where was asked, in order."""
        return [call.path for call in self.calls]

    def _guarded(self, answer: Answerer) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            call = await _read(request)
            self.calls.append(call)
            if (failed := self._fail(call)) is not None:
                return failed
            good = answer(call)
            if self._takes("cut"):
                return Response(bytes(good.body)[: len(good.body) // 2], good.status_code,
                                media_type="application/json")  # fmt: skip
            return good

        return respond

    def _fail(self, call: Call) -> Response | None:
        if (refused := self.refuse_token(call)) is not None:
            return refused
        if self._takes("quota"):
            return self.out_of_quota(call)
        if self._takes("errors"):
            return self.broken(call)
        if self._takes("html"):
            return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        if self._takes("odd"):
            return json_response({"unexpected": []})
        return None

    def _takes(self, fault: str) -> bool:
        left: int = getattr(self.faults, fault)
        setattr(self.faults, fault, max(0, left - 1))
        return left > 0


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer in JSON."""
    return Response(
        orjson.dumps(content), status, headers=dict(headers or {}), media_type="application/json"
    )


async def _read(request: Request) -> Call:
    raw = await request.body()
    kind = request.headers.get("content-type", "")
    return Call(
        method=request.method,
        # Several vendors may share an address, each under a prefix of its own.
        path=request.url.path.removeprefix(request.scope.get("root_path", "")),
        query=dict(request.query_params),
        raw_query=request.url.query,
        headers=dict(request.headers),
        form=dict(parse_qsl(raw.decode())) if "form-urlencoded" in kind else {},
        body=orjson.loads(raw) if raw and "json" in kind else None,
    )
