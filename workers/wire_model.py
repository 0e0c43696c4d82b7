"""A language model on localhost that speaks two vendors' wire protocols and remembers every call.

`prove` runs campaigns through it and counts what was asked twice; the adapters are tested against
it. It answers POST /v1/messages as Anthropic and POST /v1/chat/completions as OpenAI and Ollama
do. GET /calls tells what it was asked, POST /script what to answer next, POST /reset forgets all.
A key that begins with `bad-` is refused.
"""

import argparse
import asyncio
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from workers import wire_protocols as protocols
from workers.wire_protocols import Frame
from workers.wire_script import Counters, Prompt, Reply, Script, ToolCall

__all__ = ["Call", "Counters", "Reply", "Script", "ToolCall", "WireModel", "main", "serve"]

MODELS = (
    "claude-haiku-4-5",
    "claude-sonnet-4-5",
    "claude-sonnet-5-5",
    "gpt-5-mini",
    "gpt-4.1",
    "llama3.1:latest",
)


class _Dropped(Exception):
    """Raised in the middle of a stream: uvicorn then closes the connection, as a crash would."""


def _unexpected(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], _Dropped))


@dataclass(slots=True)
class Call:
    """One call as the vendor sees it; `finished` means that the whole answer was sent.

    `read_to_end` means that the caller was still there when its last byte went out, `asked_at` is
    in seconds since 1970.
    """

    number: int
    vendor: str
    model: str
    digest: str
    body: Mapping[str, Any] | None
    asked_at: float
    status: int = 200
    finished: bool = False
    read_to_end: bool = False
    usage: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Vendor:
    """How one of the two protocols writes its answers."""

    name: str
    frames: Callable[[Reply, Counters, str, str], Iterator[Frame]]
    error: Callable[[int, str], dict[str, Any]]
    error_frame: Callable[[str], Frame]


_ANTHROPIC = _Vendor(
    "anthropic",
    protocols.anthropic_frames,
    protocols.anthropic_error,
    protocols.anthropic_error_frame,
)
_OPENAI = _Vendor(
    "openai", protocols.openai_frames, protocols.openai_error, protocols.openai_error_frame
)


class WireModel:
    """The server's memory and its routes; `app` is what uvicorn serves."""

    def __init__(self, *, delay: float = 0.0, keep_bodies: bool = True) -> None:
        self.script = Script(delay=delay)
        self.calls: list[Call] = []
        self.url = ""
        self._keep_bodies = keep_bodies
        self.app = Starlette(
            routes=[
                Route("/v1/messages", self._anthropic, methods=["POST"]),
                Route("/v1/chat/completions", self._openai, methods=["POST"]),
                Route("/v1/models", self._models),
                Route("/v1/models/{model:path}", self._model),
                Route("/calls", self._calls),
                Route("/script", self._script, methods=["POST"]),
                Route("/reset", self._reset, methods=["POST"]),
            ]
        )

    def say(self, *replies: Reply) -> None:
        """Answer the next calls with these replies, in order."""
        self.script.replies.extend(replies)

    def reset(self) -> None:
        """Forget every call and every reply."""
        self.calls.clear()
        self.script.replies.clear()

    # --- Routes ---------------------------------------------------------------------------------

    async def _anthropic(self, request: Request) -> Response:
        return await self._answer(request, _ANTHROPIC)

    async def _openai(self, request: Request) -> Response:
        return await self._answer(request, _OPENAI)

    async def _answer(self, request: Request, vendor: _Vendor) -> Response:
        prompt = Prompt(await request.json())
        call = self._record(prompt, vendor)
        reply = Reply(status=401, error=f"Incorrect API key provided: {_key(request)}")
        if not _key(request).startswith("bad-"):
            reply = self.script.reply(prompt)
        if reply.stall and reply.stall_after is None:
            await asyncio.sleep(reply.stall)
        if reply.status >= 400:
            call.status = reply.status
            return _error(vendor, reply)
        return StreamingResponse(
            self._stream(vendor, reply, prompt, call), media_type="text/event-stream"
        )

    async def _models(self, request: Request) -> Response:
        if _key(request).startswith("bad-"):
            return JSONResponse(_vendor(request).error(401, "Incorrect API key."), 401)
        listed = [_listed(model) for model in MODELS]
        return JSONResponse({"object": "list", "data": listed, "has_more": False})

    async def _model(self, request: Request) -> Response:
        model = request.path_params["model"]
        if _key(request).startswith("bad-"):
            return JSONResponse(_vendor(request).error(401, "Incorrect API key."), 401)
        if model not in MODELS:
            return JSONResponse(_vendor(request).error(404, f"No model {model}."), 404)
        return JSONResponse(_listed(model))

    async def _calls(self, request: Request) -> Response:
        """Tell the calls; `?bodies=false` leaves their bodies out."""
        told = [asdict(call) for call in self.calls]
        if request.query_params.get("bodies") == "false":
            told = [{**call, "body": None} for call in told]
        finished = Counter(call.digest for call in self.calls if call.finished)
        return JSONResponse(
            {
                "total": len(told),
                "finished": finished.total(),
                "repeated": finished.total() - len(finished),
                "calls": told,
            }
        )

    async def _script(self, request: Request) -> Response:
        told = await request.json()
        self.say(*(Reply.model_validate(reply) for reply in told.get("replies", ())))
        self.script.delay = float(told.get("delay", self.script.delay))
        return Response(status_code=204)

    async def _reset(self, request: Request) -> Response:
        self.reset()
        return Response(status_code=204)

    # --- One answer -----------------------------------------------------------------------------

    def _record(self, prompt: Prompt, vendor: _Vendor) -> Call:
        call = Call(
            number=len(self.calls) + 1,
            vendor=vendor.name,
            model=str(prompt.body.get("model")),
            digest=prompt.digest,
            body=prompt.body if self._keep_bodies else None,
            asked_at=time.time(),
        )
        self.calls.append(call)
        return call

    async def _stream(
        self, vendor: _Vendor, reply: Reply, prompt: Prompt, call: Call
    ) -> AsyncIterator[bytes]:
        counters = prompt.counters(reply)
        call.usage = counters.model_dump()
        delay = self.script.delay if reply.delay is None else reply.delay
        deltas = 0
        # Derived from the request, so that the same request gets the same answer to the letter.
        call_id = f"{prompt.digest[:16]}"
        for place, frame in enumerate(vendor.frames(reply, counters, call.model, call_id)):
            if reply.cut and place and deltas >= reply.cut_after:
                async for last in _cut(vendor, reply):
                    yield last
                return
            if frame.delta:
                await asyncio.sleep(delay)
                deltas += 1
            yield frame.data
            if reply.stall and deltas == reply.stall_after:
                await asyncio.sleep(reply.stall)
        call.finished = call.read_to_end = True


async def _cut(vendor: _Vendor, reply: Reply) -> AsyncIterator[bytes]:
    match reply.cut:
        case "reset":
            raise _Dropped
        case "error":
            yield vendor.error_frame(reply.error).data


def _error(vendor: _Vendor, reply: Reply) -> Response:
    headers = {} if reply.retry_after is None else {"retry-after": f"{reply.retry_after:g}"}
    return JSONResponse(vendor.error(reply.status, reply.error), reply.status, headers)


def _key(request: Request) -> str:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return request.headers.get("x-api-key") or bearer


def _vendor(request: Request) -> _Vendor:
    return _ANTHROPIC if "anthropic-version" in request.headers else _OPENAI


def _listed(model: str) -> dict[str, Any]:
    # One entry that reads well in both vendors' shapes.
    return {
        "id": model,
        "type": "model",
        "object": "model",
        "display_name": model,
        "created_at": "2025-10-01T00:00:00Z",
        "created": 1_760_000_000,
        "owned_by": "throughline",
    }


@contextmanager
def serve(*, port: int = 0, delay: float = 0.0, keep_bodies: bool = True) -> Iterator[WireModel]:
    """Serve on 127.0.0.1 from a thread until the block ends; port 0 takes any free one."""
    model = WireModel(delay=delay, keep_bodies=keep_bodies)
    listener = socket.create_server(("127.0.0.1", port))
    model.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = _server(model)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield model
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def _server(model: WireModel) -> uvicorn.Server:
    # Dropped streams are part of the job, so nobody is told; stalls end with the server.
    logging.getLogger("uvicorn.error").addFilter(_unexpected)
    return uvicorn.Server(
        uvicorn.Config(
            model.app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )


def main() -> None:
    """Serve in the foreground: `python -m workers.wire_model --port N`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each delta")
    parser.add_argument("--forget-bodies", action="store_true", help="keep digests alone")
    given = parser.parse_args()
    model = WireModel(delay=given.delay, keep_bodies=not given.forget_bodies)
    listener = socket.create_server(("127.0.0.1", given.port))
    _server(model).run([listener])


if __name__ == "__main__":
    main()
