"""Many agents at once under a cap that pays for a few: at no moment is more than the cap out."""

import asyncio
import random
from collections.abc import Callable
from decimal import Decimal

from activities.ports import Usage
from models.queries.agents import proof
from tests.workflows.scripted_llm import Asked, Reply, say
from tests.workflows.studio import REPORT, Studio
from workers.prove_checks import wrongly_booked

REPORTING = "performance_report"
CAP = Decimal("0.50")
AT_ONCE = 12


def _priced(chance: random.Random) -> Callable[[Asked], Reply]:
    """Answers of chance prices: $10 a million tokens, at most what 4,096 of them cost."""

    def reply(asked: Asked) -> Reply:
        usage = Usage(output_tokens=chance.randrange(500, 4_096))
        return say(f"{asked.title}: numbers.", usage=usage)

    return reply


async def test_agents_that_race_for_the_last_money_never_pass_the_cap(studio: Studio) -> None:
    await studio.configure("copywriter", concurrency=AT_ONCE)
    studio.llm.always(REPORTING, _priced(random.Random(5)))
    over: list[Decimal] = []
    campaign_id = await studio.submit((REPORT, 40), budget_cap_usd=CAP)

    async def watch() -> None:
        while True:
            (row,) = await studio.rows(
                "select spent_usd + reserved_usd as out from campaign where id = :id",
                id=campaign_id,
            )
            if row.out > CAP:
                over.append(row.out)
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    await studio.until(
        "select 1 from campaign where id = :id and not exists (select 1 from agent_activity"
        " where campaign_id = :id and status in ('created', 'assigned', 'in_progress'))"
        " and exists (select 1 from agent_activity where campaign_id = :id"
        " and wake_reason = 'budget_exhausted')",
        id=campaign_id,
        patience=60,
    )
    watching.cancel()
    (asked,) = await studio.approvals(campaign_id)
    states = await studio.rows(
        "select status, wake_reason, count(*) as number from agent_activity"
        " where campaign_id = :id and type = :kind group by 1, 2",
        id=campaign_id,
        kind=REPORTING,
    )
    counted = {(row.status, row.wake_reason): row.number for row in states}
    held = counted.pop(("blocked", "budget_exhausted"))
    done = sum(counted.pop(key) for key in list(counted) if key[0] == "done")
    assert (over, counted, held + done) == ([], {}, 40)
    assert min(held, done) > 3
    assert asked.type == "budget_authorization"
    async with studio.db.tenant(studio.tenant_id) as db:
        assert list(wrongly_booked(await proof.read(db))) == []
