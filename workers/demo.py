"""The main job as a demonstration: a brief goes in, work is shown, approvals are asked or given."""

import hashlib
import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from models.rules.vocabulary import Role
from models.settings import Settings
from workers.api_client import Api, ApiRefused, Approval
from workers.briefs import DEMO_BRIEF, read_brief
from workers.follow import Follower, Outcome
from workers.progress import View, make_view, summary
from workers.results_client import ResultsApi
from workers.stack import StackRecord, write_private
from workers.tenants import DEMO
from workers.tokens import issue

_PREVIEW_LINES = 6
_TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the user asked for on the command line."""

    brief: Path | None = None
    approve_all: bool = False
    again: bool = False
    """Submit once more when everything that was submitted before is finished."""


def demo_api(settings: Settings, record: StackRecord) -> Api:
    """The API as Dana, the demo tenant's admin."""
    return Api(record.api_url, _tokens(settings))


def results_api(settings: Settings, record: StackRecord) -> ResultsApi:
    """The same of a client's platforms and results."""
    return ResultsApi(record.api_url, _tokens(settings))


def _tokens(settings: Settings) -> Callable[[], str]:
    admin = DEMO.humans[Role.ADMIN]

    def token() -> str:
        return issue(
            settings, subject=admin.id, tenant=DEMO.id, role=Role.ADMIN, lifetime=_TOKEN_LIFE
        )

    return token


class Demo:
    """One demonstration on a running stack."""

    def __init__(
        self, settings: Settings, record: StackRecord, options: DemoOptions, console: Console
    ) -> None:
        self._settings = settings
        self._record = record
        self._options = options
        self._console = console
        self._api = demo_api(settings, record)
        self._notes = settings.data_dir / "demo.json"
        self._explained = False

    async def run(self) -> Outcome:
        """Submit or resume a campaign and follow it to its end."""
        view: View | None = None
        try:
            campaign_id = await self._campaign()
            view = make_view(self._console)
            asked = self._approve if self._options.approve_all else self._explain
            self._view = view
            follower = Follower(api=self._api, campaign_id=campaign_id, view=view, asked=asked)
            return await follower.run()
        finally:
            if view is not None:
                view.close()
            await self._api.close()

    async def report(self, outcome: Outcome) -> None:
        """Print what was made and what it cost, or why it did not get there."""
        api = demo_api(self._settings, self._record)
        try:
            for activity in outcome.snapshot.activities:
                text = await api.output(activity.id) if activity.status == "done" else None
                if text is not None:
                    self._print(f"\n{activity.title}  (${activity.cost_usd:.4f}, {activity.id})")
                    self._print(_preview(text))
        finally:
            await api.close()
        self._print(f"\n{summary(outcome.snapshot)}")
        for reason in outcome.reasons:
            self._print(f"  not done: {reason}")

    async def _campaign(self) -> str:
        if self._options.brief is None:
            earlier = await self._api.campaigns()
            unfinished = [one for one in earlier if one.status in ("draft", "active", "paused")]
            if unfinished and not (self._options.again and await self._is_done(unfinished[0].id)):
                self._print(f"Going on with the campaign {unfinished[0].name}.")
                return unfinished[0].id
        return await self._submit(read_brief(self._options.brief or DEMO_BRIEF))

    async def _submit(self, body: dict[str, Any]) -> str:
        """Submit a brief, once for each text unless it is asked for again."""
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        known = self._read_notes()
        earlier = known.get(digest, [])
        if earlier and not (self._options.again and await self._is_done(earlier[-1])):
            self._print(f"Going on with the campaign {body.get('name', earlier[-1])}.")
            return earlier[-1]
        key = f"demo-{digest[:40]}-{len(earlier)}"
        campaign_id = await self._api.create_campaign(body, key)
        write_private(self._notes, json.dumps(known | {digest: [*earlier, campaign_id]}))
        self._print(f"Submitted the brief {body.get('name', '')} as campaign {campaign_id}.")
        return campaign_id

    async def _is_done(self, campaign_id: str) -> bool:
        try:
            activities = await self._api.activities(campaign_id)
        except ApiRefused:
            return True
        return bool(activities) and all(one.status in ("done", "failed") for one in activities)

    def _read_notes(self) -> dict[str, list[str]]:
        try:
            found: dict[str, list[str]] = json.loads(self._notes.read_text())
        except (OSError, ValueError):
            return {}
        return found

    async def _approve(self, approval: Approval) -> None:
        option = approval.options[0] if approval.options else None
        try:
            await self._api.resolve(approval.id, "approved", option=option, note=None)
        except ApiRefused as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            # Somebody else was faster; the next look shows what they decided.
            self._view.note(f"{approval.title}: {error}", "yellow")
            return
        chosen = f" ({option})" if option else ""
        self._view.note(f"Approved: {approval.title}{chosen}", "green")

    async def _explain(self, approval: Approval) -> None:
        lines = [f"Your approval is asked: {approval.title} ({approval.type})"]
        if approval.options:
            lines.append(f"  choose with --option: {', '.join(approval.options)}")
        lines.append(f"  {command(self._settings, 'approve', approval.id)}")
        if not self._explained:
            lines.append(f"  or all at once: {command(self._settings, 'approve', '--all')}")
            self._explained = True
        self._view.note("\n".join(lines), "bold yellow")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def command(settings: Settings, *arguments: str) -> str:
    """A command line that works where the user is, in this data folder."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    words = [str(python), "-m", "workers", *arguments]
    if settings.data_dir != Path(".throughline").resolve():
        words += ["--data-dir", str(settings.data_dir)]
    return shlex.join(words)


def _preview(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    more = (
        f"\n  ... {len(lines) - _PREVIEW_LINES} more lines" if len(lines) > _PREVIEW_LINES else ""
    )
    return "\n".join(f"  {line[:110]}" for line in lines[:_PREVIEW_LINES]) + more
