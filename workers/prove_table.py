"""What `prove` prints: what was run, what was broken, and the faults, which must all be none."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.table import Table

from workers.prove_checks import Findings

_SHOWN: Final = 20
"""Faults that are told in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was run and what it took."""

    campaigns: int
    activities: int
    activities_done: int
    approvals: int
    events: int
    kills: int
    turns: int
    calls: int
    cut_off: int
    cut_off_usd: Decimal
    spent_usd: Decimal
    seconds: float
    seed: int


def print_tally(console: Console, tally: Tally, findings: Findings) -> None:
    """Print the table, and what is wrong in sentences."""
    table = Table(title="Kill -9 at random moments", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for name, value in (
        ("campaigns", tally.campaigns),
        ("activities done", f"{tally.activities_done} of {tally.activities}"),
        ("approvals given", tally.approvals),
        ("events", tally.events),
        ("workers killed", tally.kills),
        ("turns stored", tally.turns),
        ("turns cut off by a kill, asked anew", tally.cut_off),
        ("calls of the model", tally.calls),
        ("spent", f"${tally.spent_usd}"),
        ("of that on turns cut off", f"${tally.cut_off_usd}"),
        ("seconds", f"{tally.seconds:.0f}"),
    ):
        table.add_row(name, str(value))
    table.add_section()
    for name, faults in (
        ("lost turns and work", findings.lost),
        ("duplicated turns and work", findings.duplicated),
        ("re-billed turns", findings.rebilled),
        ("approvals lost", findings.approvals_lost),
        ("events out of order", findings.out_of_order),
    ):
        colour = "red" if faults else "green"
        table.add_row(name, f"[bold {colour}]{len(faults)}[/]")
    console.print(table)
    for sentence in findings.all()[:_SHOWN]:
        console.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)
    verdict = "Something went wrong." if findings.all() else "All zero."
    console.print(f"{verdict} Repeat with --seed {tally.seed}.", highlight=False)
