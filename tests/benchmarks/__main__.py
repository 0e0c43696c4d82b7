"""`python -m tests.benchmarks [name …]`: measure, print one table, exit 1 if a target is missed."""

import argparse
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from math import inf

import uvloop
from rich.console import Console
from rich.table import Table

from tests.benchmarks import (
    agent_activity,
    backfill,
    clients,
    decision,
    fairness,
    lists,
    ready,
    results,
    revenue,
    submit_campaign,
    viewers,
)
from tests.benchmarks.harness import Bench, Measured, stack_for
from workers.wire_model import serve

BENCHMARKS: Mapping[str, Callable[[Bench], Awaitable[list[Measured]]]] = {
    "agent_activity": agent_activity.run,
    "submit_campaign": submit_campaign.run,
    "decision_to_turn": decision.run,
    "lists": lists.run,
    "clients": clients.run,
    "results": results.run,
    "backfill": backfill.run,
    "viewers": viewers.run,
    "fairness": fairness.run,
    "revenue": revenue.run,
    "ready": ready.run,
}


async def measure(names: list[str], console: Console) -> list[Measured]:
    """Run the benchmarks one after the other on one stack."""
    lines: list[Measured] = []
    with serve(keep_bodies=False) as model:
        async with stack_for(model) as bench:
            for name in names:
                begin = time.monotonic()
                try:
                    lines += await BENCHMARKS[name](bench)
                except Exception as error:
                    # The others are still worth knowing; a missing number is a missed target.
                    console.print_exception()
                    lines.append(Measured(name=name, ours=inf, unit="", target=0, note=repr(error)))
                console.print(f"{name}: {time.monotonic() - begin:.0f} s", style="dim")
    return lines


def table(lines: list[Measured]) -> Table:
    """The lines as they stand in docs/benchmarks.md."""
    shown = Table("name", "ours", "bare", "ratio or value", "target", "ok", "")
    for line in lines:
        bare = "" if line.bare is None else f"{line.bare:,.1f} {line.unit}"
        value = f"{line.value:.2f}×" if line.bare is not None else f"{line.value:,.1f} {line.unit}"
        sign = "≥" if line.at_least else "≤"
        target = f"{line.target:g}×" if line.bare is not None else f"{line.target:,g} {line.unit}"
        shown.add_row(
            line.name, f"{line.ours:,.1f} {line.unit}", bare, value, f"{sign} {target}",
            "yes" if line.ok else "NO", line.note,
        )  # fmt: skip
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="all by default")
    names = parser.parse_args().names or list(BENCHMARKS)
    console = Console(width=None if sys.stdout.isatty() else 140)
    lines = uvloop.run(measure(names, console))
    console.print(table(lines))
    console.print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", style="dim")
    return 0 if all(line.ok for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
