"""A client that costs next to nothing, so that what is measured is the server."""

import asyncio
import time
from collections.abc import Mapping


def request(path: str, headers: Mapping[str, str]) -> bytes:
    """A GET as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", "Host: bench", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def per_second(port: int, asked: bytes, *, seconds: float, connections: int = 6) -> float:
    """How many answers a second the server gives to this request, asked for in a closed loop."""
    until = time.perf_counter() + seconds
    begin = time.perf_counter()
    counts = await asyncio.gather(*(_ask(port, asked, until) for _ in range(connections)))
    return sum(counts) / (time.perf_counter() - begin)


async def latencies(port: int, asked: bytes, *, count: int) -> list[float]:
    """How many seconds the server takes to answer this request, asked for one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        await _answer(reader, writer, asked)
        taken.append(time.perf_counter() - begin)
    writer.close()
    return taken


async def _ask(port: int, asked: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.perf_counter() < until:
        await _answer(reader, writer, asked)
        count += 1
    writer.close()
    return count


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytes) -> None:
    writer.write(asked)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
