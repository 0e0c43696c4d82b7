"""The tool by which the planner hands in a campaign's plan."""

from collections.abc import Mapping
from typing import Any

from activities.ports import ToolSpec
from activities.tools.ports import ToolAnswer, ToolContext, ToolRefused, answer
from models.contracts.agent_activities import Ending
from models.db.database import Database
from models.queries.agents import tools
from models.rules.plan_reading import parse_plan
from models.rules.plans import PLAN_SCHEMA, InvalidPlan, expand, to_json
from models.rules.roles import SUBMIT_PLAN
from models.rules.vocabulary import ActivityType


class SubmitPlan:
    """Checks a plan against what is ordered, and stores it with the draft."""

    spec = ToolSpec(
        name=SUBMIT_PLAN,
        description=(
            "Hand in the whole plan of the campaign, for one period. A plan that cannot be carried "
            "out comes back with everything that is wrong with it; mend it and call again."
        ),
        input_schema=PLAN_SCHEMA,
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call(self, context: ToolContext, input: Mapping[str, Any]) -> ToolAnswer:
        """Store the plan; handing in the same one again is no error."""
        if context.activity_type is not ActivityType.CAMPAIGN_PLANNING:
            raise ToolRefused("Only the activity that plans a campaign hands in a plan.")
        async with self._database.tenant(context.tenant_id) as db:
            deliverables = await tools.ordered(db, context.campaign_id)
            try:
                plan = parse_plan(dict(input), deliverables, await tools.active_roles(db))
            except InvalidPlan as invalid:
                raise ToolRefused(*invalid.errors) from invalid
            stored = to_json(plan)
            if (
                not await tools.store_plan(db, context.campaign_id, stored)
                and await tools.planned(db, context.campaign_id) != stored
            ):
                raise ToolRefused("The campaign is no draft any more; its plan stands.")
        said = "The plan is stored. Your run ends here."
        return answer({"activities": len(expand(plan)), "message": said}, Ending.PLAN)
