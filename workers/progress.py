"""What a campaign does, as it does it: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from workers.api_client import Activity, Approval, Campaign

_COLOURS: Final = {
    "done": "green",
    "in_progress": "cyan",
    "awaiting_approval": "yellow",
    "failed": "red",
    "blocked": "magenta",
}
_ROWS: Final = 14
_WORDS_KEPT: Final = 900
_LINE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One look at a campaign."""

    campaign: Campaign
    activities: Sequence[Activity]
    approvals: Sequence[Approval]

    def counts(self) -> str:
        """How many activities are done, out of how many."""
        done = sum(activity.status == "done" for activity in self.activities)
        return f"{done} of {len(self.activities)} activities done"


class View(Protocol):
    """Where progress is shown."""

    def show(self, snapshot: Snapshot) -> None:
        """Take the newest look."""
        ...

    def words(self, activity: Activity, text: str) -> None:
        """An agent wrote something."""
        ...

    def note(self, text: str, style: str = "") -> None:
        """Something happened that should stay on the screen."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def make_view(console: Console) -> View:
    """The live table when somebody looks at it, lines when a file or a pipe takes them."""
    return LiveView(console) if console.is_terminal else PlainView(console)


def _money(amount: float) -> str:
    return f"${amount:.4f}"


def _cost_line(campaign: Campaign) -> str:
    cap = f" of {_money(campaign.budget_cap_usd)}" if campaign.budget_cap_usd else ""
    return f"spent {_money(campaign.spent_usd)}{cap}"


@dataclass(slots=True)
class PlainView:
    """A line a change, each agent's words in lines of their own."""

    console: Console
    _statuses: dict[str, str] = field(default_factory=dict)
    _pending: dict[str, str] = field(default_factory=dict)
    _campaign: str = ""

    def show(self, snapshot: Snapshot) -> None:
        status = snapshot.campaign.status
        if status != self._campaign:
            self._campaign = status
            self.note(f"Campaign {snapshot.campaign.name}: {status}")
        for activity in snapshot.activities:
            if self._statuses.get(activity.id) != activity.status:
                self._statuses[activity.id] = activity.status
                self._flush(activity)
                self._change(activity)

    def words(self, activity: Activity, text: str) -> None:
        lines = (self._pending.get(activity.id, "") + text).split("\n")
        rest = lines.pop()
        while len(rest) > _LINE and (cut := rest.rfind(" ", 0, _LINE)) > 0:
            lines.append(rest[:cut])
            rest = rest[cut + 1 :]
        for line in lines:
            self._write(activity, line)
        self._pending[activity.id] = rest

    def note(self, text: str, style: str = "") -> None:
        self._print(f"{datetime.now().astimezone():%H:%M:%S}  {text}")

    def close(self) -> None:
        """Nothing to leave."""

    def _change(self, activity: Activity) -> None:
        why = f" ({activity.wake_reason})" if activity.wake_reason else ""
        cost = f"  {_money(activity.cost_usd)}" if activity.status == "done" else ""
        who = activity.agent_role or activity.assignee_name
        self.note(f"{who}: {activity.title}: {activity.status}{why}{cost}")

    def _flush(self, activity: Activity) -> None:
        if rest := self._pending.pop(activity.id, ""):
            self._write(activity, rest)

    def _write(self, activity: Activity, line: str) -> None:
        if line.strip():
            self._print(f"          {activity.agent_role or activity.assignee_name} | {line}")

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """A table that is drawn in place, with what the agents write below it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._snapshot: Snapshot | None = None
        self._words: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=8, get_renderable=self._render)
        self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        running = {item.id for item in snapshot.activities if item.status == "in_progress"}
        self._words = {key: text for key, text in self._words.items() if key in running}

    def words(self, activity: Activity, text: str) -> None:
        self._words[activity.id] = (self._words.get(activity.id, "") + text)[-_WORDS_KEPT:]

    def note(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))

    def close(self) -> None:
        self._live.stop()

    def _render(self) -> RenderableType:
        snapshot = self._snapshot
        if snapshot is None:
            return Text("Waiting for the campaign ...", style="dim")
        return Group(_table(snapshot), *self._writing(snapshot), _footer(snapshot))

    def _writing(self, snapshot: Snapshot) -> list[RenderableType]:
        titles = {item.id: f"{item.agent_role}: {item.title}" for item in snapshot.activities}
        shown = list(self._words.items())[-2:]
        return [
            Panel(
                Text(_tail(text, self._console.width - 4, 5)),
                title=Text(titles.get(key, ""), overflow="ellipsis"),
                title_align="left",
                border_style="cyan",
            )
            for key, text in shown
        ]


def _tail(text: str, width: int, rows: int) -> str:
    lines: list[str] = []
    for line in text.splitlines():
        lines += [line[at : at + width] for at in range(0, max(len(line), 1), width)]
    return "\n".join(lines[-rows:])


def _table(snapshot: Snapshot) -> Table:
    table = Table(title=snapshot.campaign.name, title_justify="left", expand=True)
    table.add_column("Activity", ratio=5, no_wrap=True, overflow="ellipsis")
    table.add_column("Agent", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("Status", ratio=2, no_wrap=True)
    table.add_column("Why", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("Cost", justify="right", no_wrap=True)
    shown = _most_interesting(snapshot.activities)
    for item in shown:
        table.add_row(
            Text(item.title),
            Text(item.agent_role or item.assignee_name),
            Text(item.status, style=_COLOURS.get(item.status, "dim")),
            Text(item.wake_reason or ""),
            _money(item.cost_usd),
        )
    if hidden := len(snapshot.activities) - len(shown):
        table.caption = f"and {hidden} more"
    return table


def _most_interesting(activities: Sequence[Activity]) -> list[Activity]:
    """As many as fit, in their own order; what is done or still waits gives way first."""
    if len(activities) <= _ROWS:
        return list(activities)
    ranked = sorted(
        activities, key=lambda item: {"created": 1, "done": 2}.get(item.status, 0)
    )  # sorted() keeps the order among equals
    kept = {item.id for item in ranked[:_ROWS]}
    return [item for item in activities if item.id in kept]


def _footer(snapshot: Snapshot) -> Text:
    line = f"{snapshot.campaign.status} · {snapshot.counts()} · {_cost_line(snapshot.campaign)}"
    if snapshot.approvals:
        line += f" · {len(snapshot.approvals)} waiting for your approval"
    return Text(line, style="bold")


def summary(snapshot: Snapshot) -> str:
    """One line for the end."""
    return f"{snapshot.campaign.name}: {snapshot.counts()}, {_cost_line(snapshot.campaign)}"
