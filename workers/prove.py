"""`prove`: campaigns run while workers are killed, and then the whole record is judged.

A stack of its own, two workers, and a language model on localhost that counts its calls. What is
killed and when is up to chance with a seed; what counts as a fault is said in `prove_checks`.
"""

import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from models.db.database import Database
from models.queries.agents import proof
from models.queries.agents.proof import Record
from models.settings import Settings
from workers.embedded import ROOT, EmbeddedStack
from workers.processes import Child, free_port, spawn, wait_for_port
from workers.prove_checks import Findings, judge, unclaimed
from workers.prove_table import Tally, print_tally
from workers.prove_tenants import Agency, make_agency
from workers.stack import (
    StackRecord,
    StackSecrets,
    embedded_environment,
    sole_stack,
)

WORKERS: Final = 2
CAMPAIGNS_A_TENANT: Final = 5
WORD_DELAY: Final = 0.06
"""Seconds before each word of the model, so that many kills hit a turn half-way."""
AHEAD: Final = 12
"""Campaigns that are under way before the first kill."""
NOTHING_MOVES: Final = 120.0
"""Seconds without progress after which the rest counts as lost."""

_KILL_PAUSE: Final = (0.1, 1.5)
_SETTLING_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOptions:
    """How much is run and how much is broken."""

    campaigns: int = 50
    kills: int = 20
    seed: int | None = None
    data_dir: Path | None = None


@dataclass(slots=True)
class Victim:
    """A worker that may be killed; its log says when it is at work."""

    name: str
    log: Path
    seen: int = 0

    def is_at_work(self) -> bool:
        """Tell whether it takes work: one that is killed while it starts loses nothing."""
        return b"worker started" in self.log.read_bytes()[self.seen :]

    def is_killed(self) -> None:
        """Pass over what the log has up to here."""
        self.seen = self.log.stat().st_size if self.log.exists() else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a proof takes place."""

    stack: EmbeddedStack
    database: Database
    model_url: str
    victims: list[Victim]


class Proof:
    """One run of `prove`."""

    def __init__(self, settings: Settings, options: ProofOptions, console: Console) -> None:
        self._settings = settings
        self._options = options
        self._console = console
        self._seed = options.seed if options.seed is not None else random.randrange(2**32)
        self._chance = random.Random(self._seed)
        self._killed: Counter[str] = Counter()
        self._kill_seen = asyncio.Condition()
        self._agencies: list[Agency] = []

    async def run(self) -> int:
        """Run it all; 0 when nothing was lost, doubled, billed twice or out of order."""
        folder, is_temporary = _folder(self._options.data_dir)
        status = 1
        try:
            with sole_stack(folder):
                async with self._ground(folder) as ground:
                    status = await self._prove(ground)
        finally:
            if is_temporary and status == 0:
                shutil.rmtree(folder, ignore_errors=True)
            elif is_temporary:
                self._say(f"The data folder is kept for you to look at: {folder}")
        return status

    async def _prove(self, ground: Ground) -> int:
        options, begin = self._options, time.monotonic()
        await self._make_agencies(ground)
        self._say(
            f"{options.campaigns} campaigns of {len(self._agencies)} tenants, {options.kills} "
            f"kills of {WORKERS} workers, seed {self._seed}."
        )
        async with asyncio.TaskGroup() as group:
            followers = [group.create_task(agency.follow()) for agency in self._agencies]
            killing = group.create_task(self._kill(ground))
            await self._submit()
            await killing
            await self._wait(ground)
            await asyncio.sleep(_SETTLING_S)
            for follower in followers:
                follower.cancel()
        seconds = time.monotonic() - begin
        tally, findings = await self._judge(ground, seconds)
        print_tally(self._console, tally, findings)
        for agency in self._agencies:
            await agency.api.close()
        return 1 if findings.all() else 0

    # What happens

    async def _make_agencies(self, ground: Ground) -> None:
        for number in range(-(-self._options.campaigns // CAMPAIGNS_A_TENANT)):
            name = f"Agency {number + 1}"
            agency = await make_agency(ground.database, self._settings, ground.stack.record, name)
            self._agencies.append(agency)

    async def _submit(self) -> None:
        """Submit the campaigns spread over the kills, so that each kill meets work."""
        options = self._options
        for number in range(options.campaigns):
            due = (number - AHEAD) * options.kills // options.campaigns
            await self._until_killed(due)
            await self._agencies[number % len(self._agencies)].submit(number + 1)

    async def _until_killed(self, due: int) -> None:
        async with self._kill_seen:
            await self._kill_seen.wait_for(lambda: self._killed.total() >= due)

    async def _kill(self, ground: Ground) -> None:
        """Kill workers that are at work, one after the other, never waiting for their recovery."""
        while self._killed.total() < self._options.kills:
            await asyncio.sleep(self._chance.uniform(*_KILL_PAUSE))
            victim = ground.victims[self._chance.randrange(WORKERS)]
            process = ground.stack.record.children[victim.name].find()
            if process is None or not victim.is_at_work():
                continue
            process.kill()
            victim.is_killed()
            self._killed[victim.name] += 1
            async with self._kill_seen:
                self._kill_seen.notify_all()
            self._say(f"Killed {victim.name} ({self._killed.total()} of {self._options.kills}).")

    async def _wait(self, ground: Ground) -> None:
        """Wait until all is done; give up when nothing has moved for long."""
        left, since = -1, time.monotonic()
        while time.monotonic() - since < NOTHING_MOVES:
            now_left = 0
            for agency in self._agencies:
                async with ground.database.tenant(agency.tenant_id) as db:
                    now_left += await proof.unfinished(db)
            if now_left == 0:
                return
            if now_left != left:
                self._say(f"{now_left} activities are left.")
                left, since = now_left, time.monotonic()
            await asyncio.sleep(1)
        self._say(f"Nothing has moved for {NOTHING_MOVES:.0f} s.")

    # What came of it

    async def _judge(self, ground: Ground, seconds: float) -> tuple[Tally, Findings]:
        async with httpx.AsyncClient(base_url=ground.model_url, timeout=60) as http:
            calls = (await http.get("/calls", params={"bodies": "false"})).json()["calls"]
        findings, records = Findings(), []
        for agency in self._agencies:
            async with ground.database.tenant(agency.tenant_id) as db:
                record = await proof.read(db)
            records.append(record)
            findings.add(judge(record, calls, agency.approved))
            findings.lost += agency.missing(record)
            findings.out_of_order += agency.misread(record)
        findings.lost += unclaimed(records, calls)
        return self._tally(records, calls, seconds), findings

    def _tally(self, records: list[Record], calls: list[Any], seconds: float) -> Tally:
        turns = [turn for record in records for turn in record.turns]
        cut_off = [turn for turn in turns if turn.status == "cut_off"]
        return Tally(
            campaigns=sum(len(record.campaigns) for record in records),
            activities=sum(len(record.activities) for record in records),
            activities_done=sum(
                activity.status == "done" for record in records for activity in record.activities
            ),
            approvals=sum(len(agency.approved) for agency in self._agencies),
            events=sum(len(record.events) for record in records),
            kills=self._killed.total(),
            turns=sum(turn.status == "settled" for turn in turns),
            calls=len(calls),
            cut_off=len(cut_off),
            cut_off_usd=_total(cut_off),
            spent_usd=_total([entry for record in records for entry in record.ledger]),
            seconds=seconds,
            seed=self._seed,
        )

    # Where it happens

    @asynccontextmanager
    async def _ground(self, folder: Path) -> AsyncIterator[Ground]:
        model = await asyncio.to_thread(_start_model, folder)
        url = f"http://127.0.0.1:{model.port}"
        stack = EmbeddedStack(
            self._settings,
            folder,
            say=lambda text: None,
            workers=WORKERS,
            environment=model_environment(url),
            restart_at_once=True,
        )
        self._settings = self._settings.model_copy(update={"data_dir": folder})
        names = [f"worker-{number}" for number in range(1, WORKERS + 1)]
        victims = [Victim(name, folder / "logs" / f"{name}.log") for name in names]
        for victim in victims:
            victim.is_killed()
        try:
            if StackRecord.load(folder) is None:
                _fresh_ports(folder)
            StackSecrets.of(folder)
            record = await stack.start()
            variables = embedded_environment(folder, record)
            database = Database(variables["THROUGHLINE_DATABASE_URL"], 2)
            try:
                yield Ground(stack=stack, database=database, model_url=url, victims=victims)
            finally:
                await database.close()
        finally:
            await stack.stop()
            await asyncio.to_thread(model.child.stop)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    child: Child
    port: int


def _start_model(folder: Path) -> _Model:
    """Start the model's server as a process of its own."""
    port = free_port()
    argv = [sys.executable, "-m", "workers.wire_model", "--port", str(port)]
    argv += ["--delay", str(WORD_DELAY), "--forget-bodies"]
    child = spawn("model", argv, folder / "logs" / "model.log", cwd=ROOT)
    wait_for_port(port, child, patience=20)
    return _Model(child=child, port=port)


def model_environment(model_url: str) -> dict[str, str]:
    """What turns the stack's claude adapter to the local model: no key of the user's is sent."""
    return {
        "THROUGHLINE_LLM": "claude",
        "THROUGHLINE_CLAUDE_MODEL": "claude-sonnet-5-5",
        "THROUGHLINE_ANTHROPIC_BASE_URL": model_url,
        "THROUGHLINE_ANTHROPIC_API_KEY": "local-model",
        "THROUGHLINE_LOG_LEVEL": "INFO",
    }


def _fresh_ports(folder: Path) -> None:
    """Leave the usual ports to a stack that the user may start meanwhile."""
    postgres, temporal, ui, api = (free_port() for _ in range(4))
    StackRecord(
        pid=0, postgres_port=postgres, temporal_port=temporal, temporal_ui_port=ui, api_port=api
    ).save(folder)


def _folder(wanted: Path | None) -> tuple[Path, bool]:
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted.resolve(), False
    made = Path(tempfile.mkdtemp(prefix="throughline-prove-"))
    made.chmod(0o711)
    return made, True


def _total(rows: list[Any]) -> Decimal:
    return sum((row.cost_usd for row in rows), start=Decimal(0))
