"""Many viewers of one stream in one process: `… viewing PORT PATH TOKEN COUNT`, a report as JSON.

Each delta carries the moment at which it was written, by the clock that all processes share.
"""

import asyncio
import re
import sys
import time
from dataclasses import dataclass, field

import orjson
import uvloop

_FRAME = re.compile(rb"id: (\d+)\nevent: (\w+)\ndata: ([^\n]+)\n\n")


@dataclass
class Seen:
    """What one viewer got."""

    delays: list[float] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


async def view(port: int, asked: bytes, seen: Seen, joined: asyncio.Semaphore) -> None:
    """Follow the stream to its end."""
    async with joined:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    left = b""
    while part := await reader.read(65536):
        now = time.perf_counter()
        left += part
        end = 0
        for found in _FRAME.finditer(left):
            end = found.end()
            seen.numbers.append(int(found[1]))
            if found[2] == b"text_delta":
                words = orjson.loads(found[3])["delta"].split()
                seen.delays += [now - float(word) for word in words]
                seen.words += words
        left = left[end:]
        if b"event: completed" in part:
            break
    writer.close()


async def main() -> None:
    port, path, token, count = sys.argv[1:]
    lines = [f"GET {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {token}"]
    asked = ("\r\n".join(lines) + "\r\n\r\n").encode()
    seen = [Seen() for _ in range(int(count))]
    joined = asyncio.Semaphore(20)
    await asyncio.gather(*(view(int(port), asked, one, joined) for one in seen))
    delays = sorted(delay for one in seen for delay in one.delays)
    report = {
        "deltas": len(seen[0].words),
        "p50": delays[len(delays) // 2],
        "p95": delays[int(len(delays) * 0.95)],
        "different": sum(one.words != seen[0].words for one in seen),
        "unordered": sum(one.numbers != sorted(set(one.numbers)) for one in seen),
        "words": seen[0].words,
    }
    sys.stdout.write(orjson.dumps(report).decode())


if __name__ == "__main__":
    uvloop.run(main())
