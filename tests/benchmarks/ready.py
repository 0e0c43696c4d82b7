"""How soon the stack is ready, and how much memory the API and a worker take together."""

import psutil

from tests.benchmarks.harness import Bench, Measured


async def run(bench: Bench) -> list[Measured]:
    """The stack that runs anyway was started by a warm interpreter into an empty folder."""
    rss = sum(_rss(bench, name) for name in ("api", "worker-1")) / 2**20
    return [
        Measured(name="ready", ours=bench.stack.seconds["ready"], unit="s", target=10),
        Measured(
            name="memory",
            ours=rss,
            unit="MB",
            target=500,
            note="API and one worker, after all else",
        ),
    ]


def _rss(bench: Bench, name: str) -> int:
    process = bench.record.children[name].find()
    assert process is not None, name
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in family if isinstance(one, psutil.Process))
