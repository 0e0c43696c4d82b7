"""A small HTTP server on 127.0.0.1 that answers exactly what a test tells it to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Writer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Answer:
    """Status, headers and body; `body` may be written by hand, piece by piece."""

    body: bytes | Writer = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/plain"})


@dataclass
class WebServer:
    """Routes by (host, path); `asked` has what was asked, robots.txt left out."""

    port: int = 0
    routes: dict[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    server_names: list[str] = field(default_factory=list)

    def on(self, host: str, path: str, answer: Answer) -> str:
        self.routes[host, path] = answer
        return f"http://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            host, path = headers["host"].rsplit(":", 1)[0], head[0].split(" ")[1]
            if path != "/robots.txt":
                self.asked.append((host, path))
                self.headers.append(headers)
            await _write(writer, self.routes.get((host, path), Answer(status=404)))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    lines = [f"HTTP/1.1 {answer.status} X", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if isinstance(answer.body, bytes):
        writer.write(answer.body)
    else:
        await answer.body(writer)
    await writer.drain()


@asynccontextmanager
async def web_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[WebServer]:
    made = WebServer()
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: made.server_names.append(str(name))
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
