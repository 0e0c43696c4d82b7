"""What benchmarks share: a stack to measure on, tenants in it, and how two ways are compared."""

import asyncio
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.common import Priority

from models.contracts.agent_activities import CarryOutActivity
from models.contracts.campaigns import LaunchCampaign
from models.db.database import Database
from models.rules.vocabulary import ActivityStatus, ActivityType, Role, WakeReason
from models.settings import Settings, settings
from tests.factories.agents import TenantMade, make_activity, make_campaign, make_tenant
from workers.embedded import EmbeddedStack
from workers.fakes.platforms import settings_at
from workers.processes import LOOPBACK, free_port, make_private
from workers.stack import StackRecord, embedded_environment, owner_url
from workers.tokens import issue, signing_key
from workers.wire_model import WireModel
from workers.wire_script import Prompt, Reply, Script
from workflows import policies
from workflows.agents.agent_activities import AgentActivityWorkflow
from workflows.agents.campaigns import CampaignWorkflow
from workflows.client import connect
from workflows.visibility import activity_workflow, attributes, campaign_workflow

ROLE = "strategist"
Round = Callable[[], Awaitable[float]]
"""One measurement; answers seconds, or whatever the benchmark counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line of the table. `bare` is the library alone, None where a number stands for itself."""

    name: str
    ours: float
    unit: str
    target: float
    bare: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        """What the target is compared with: the ratio, or the number itself."""
        return self.ours if self.bare is None else self.ours / self.bare

    @property
    def ok(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(slots=True, kw_only=True)
class Work:
    """One activity of a tenant, known to the model by its title."""

    tenant: TenantMade
    campaign_id: str
    title: str
    activity_id: str = ""
    began: float = 0.0


class Stage(Script):
    """What the model answers, by the title of the activity that asks, and when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.default = Reply(text="Done.")
        self.asked: dict[str, list[float]] = {}
        self._parts: dict[str, deque[Reply]] = {}

    def cast(self, title: str, *replies: Reply) -> None:
        """Give an activity its replies, in order."""
        self._parts[title], self.asked[title] = deque(replies), []

    def reply(self, prompt: Prompt) -> Reply:
        for title, replies in self._parts.items():
            if title in prompt.text:
                self.asked[title].append(time.perf_counter())
                return replies.popleft() if replies else self.default
        return self.default

    async def times(self, title: str, count: int, patience: float = 60) -> list[float]:
        """When the activity asked, as soon as it has asked this often."""
        deadline = time.perf_counter() + patience
        while len(self.asked[title]) < count:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{title} asked {len(self.asked[title])} times, not {count}")
            await asyncio.sleep(0.002)
        return self.asked[title]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The embedded stack that everything is measured on, and how to reach its parts."""

    stack: EmbeddedStack
    settings: Settings
    record: StackRecord
    owner_url: str
    database: Database
    temporal: Client
    stage: Stage
    platforms_port: int
    """Where the stack looks for clients' platforms; nobody is there until a benchmark is."""

    async def campaign(self, tenant: TenantMade) -> str:
        """Make an active campaign with nothing to do, and its workflow: the reconciler looks."""
        campaign_id = await make_campaign(self.database, tenant, status="active")
        await self.look_after(tenant, campaign_id)
        return campaign_id

    async def look_after(self, tenant: TenantMade, campaign_id: str) -> None:
        """Start the workflow of a campaign that is in the record."""
        await self.temporal.start_workflow(
            CampaignWorkflow.run,
            LaunchCampaign(tenant_id=tenant.id, campaign_id=campaign_id, resume=True),
            id=campaign_workflow(campaign_id),
            task_queue=policies.TASK_QUEUE,
            priority=Priority(fairness_key=tenant.id),
            search_attributes=attributes(
                tenant_id=tenant.id, campaign_id=campaign_id, kind="campaign", status="active"
            ),
        )

    async def start(self, work: "Work") -> None:
        """Make an assigned activity and its workflow, as a campaign does."""
        activity_id = await make_activity(
            self.database, work.tenant, work.campaign_id, role=ROLE, title=work.title,
            type=ActivityType.RESEARCH, status=ActivityStatus.ASSIGNED,
        )  # fmt: skip
        order = CarryOutActivity(
            tenant_id=work.tenant.id, campaign_id=work.campaign_id, activity_id=activity_id,
            title=work.title, role=ROLE, wake_reason=WakeReason.PLANNED,
        )  # fmt: skip
        work.activity_id = activity_id
        work.began = time.perf_counter()
        await self.temporal.start_workflow(
            AgentActivityWorkflow.run,
            order,
            id=activity_workflow(activity_id),
            task_queue=policies.TASK_QUEUE,
            priority=Priority(fairness_key=work.tenant.id),
            search_attributes=attributes(
                tenant_id=work.tenant.id, campaign_id=work.campaign_id, kind="activity",
                status="assigned",
            ),
        )  # fmt: skip

    async def tenant(self) -> TenantMade:
        """Make a tenant with its agents and an admin."""
        return await make_tenant(self.database)

    def headers(self, tenant: TenantMade) -> dict[str, str]:
        """What the tenant's admin sends with each request."""
        token = issue(
            self.settings, subject=tenant.admin_id, tenant=tenant.id, role=Role.ADMIN,
            lifetime=timedelta(hours=1),
        )  # fmt: skip
        return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def stack_for(model: WireModel) -> AsyncIterator[Bench]:
    """Start the stack as `make run` does, durable to the disk, in a folder of its own.

    The model speaks Anthropic's protocol; nothing is limited but by the machine.
    """
    with tempfile.TemporaryDirectory(
        prefix="throughline-bench-", ignore_cleanup_errors=True
    ) as folder:
        data_dir = Path(folder) / "data"
        make_private(data_dir)
        platforms_port = free_port()
        os.environ |= {
            f"THROUGHLINE_{name.upper()}": value
            for name, value in settings_at(f"http://{LOOPBACK}:{platforms_port}").items()
        }
        os.environ |= {
            "THROUGHLINE_DATA_DIR": str(data_dir),
            "THROUGHLINE_ANTHROPIC_API_KEY": "bench",
            "THROUGHLINE_ANTHROPIC_BASE_URL": model.url,
            "THROUGHLINE_RATE_LIMIT_PER_MINUTE": "1000000",
            "THROUGHLINE_LOG_LEVEL": "WARNING",
        }
        settings.cache_clear()
        os.chmod(folder, 0o711)
        stage = Stage()
        model.script = stage
        stack = EmbeddedStack(settings(), data_dir, say=lambda _: None)
        signing_key(settings())
        record = await stack.start()
        try:
            async with _reached(stack, record, data_dir, stage, platforms_port) as bench:
                yield bench
        finally:
            await stack.stop()


@asynccontextmanager
async def _reached(
    stack: EmbeddedStack, record: StackRecord, data_dir: Path, stage: Stage, platforms_port: int
) -> AsyncIterator[Bench]:
    os.environ |= embedded_environment(data_dir, record)
    settings.cache_clear()
    here = settings()
    database = Database(here.database_url, here.database_pool_size)
    try:
        yield Bench(
            stack=stack,
            settings=here,
            record=record,
            owner_url=owner_url(data_dir, record),
            database=database,
            temporal=await connect(here),
            stage=stage,
            platforms_port=platforms_port,
        )
    finally:
        await database.close()


async def compare(ours: Round, bare: Round, *, rounds: int, warm: int = 1) -> tuple[float, float]:
    """Alternate between two ways; answers the median of each, the first rounds left out."""
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(warm + rounds):
        mine.append(await ours())
        theirs.append(await bare())
    return statistics.median(mine[warm:]), statistics.median(theirs[warm:])


async def timed(work: Awaitable[object]) -> float:
    """How many seconds the work takes."""
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


async def timed_together(works: Sequence[Awaitable[object]]) -> float:
    """How many seconds all of it takes, done at once."""
    return await timed(asyncio.gather(*works))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def in_ms(measured: Measured) -> Measured:
    """The same in milliseconds."""
    bare = None if measured.bare is None else measured.bare * 1000
    return replace(measured, ours=measured.ours * 1000, bare=bare, unit="ms")
