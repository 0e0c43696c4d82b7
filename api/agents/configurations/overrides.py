"""What a tenant may override, checked against what there is: models, tools, templates."""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.prompts.render import validate_template
from api.agents.configurations.schemas import AgentPatch
from models.errors import ProblemItem, Unprocessable
from models.queries.agents import agent_configs
from models.rules.money import price_on
from models.rules.roles import TOOLS

_OWN_MODEL = re.compile(r"^[A-Za-z0-9][\w./-]{0,127}(:[\w.-]{1,64})?$", re.ASCII)
"""A model of one's own machines: ollama takes whatever was pulled there."""


async def checked_overrides(db: AsyncConnection, patch: AgentPatch, adapter: str) -> dict[str, Any]:
    """The columns to write; raises where a model or tool is not there or a template is wrong."""
    changes: dict[str, Any] = {}
    if patch.model is not None:
        await _refuse_unoffered(db, adapter, patch.model)
        changes["model"] = patch.model
    if patch.sends("max_cost_usd_per_activity"):
        changes["max_cost_usd"] = patch.max_cost_usd_per_activity
    if patch.tool_names is not None:
        changes["tool_names"] = _known_tools(patch.tool_names)
    if patch.concurrency is not None:
        changes["concurrency"] = patch.concurrency
    return changes | _adapter_overrides(patch)


def _adapter_overrides(patch: AgentPatch) -> dict[str, Any]:
    config = patch.adapter_config
    if config is None:
        return {}
    changes: dict[str, Any] = {}
    if config.sends("prompt_template"):
        if config.prompt_template is not None:
            validate_template(config.prompt_template)
        changes["prompt_template"] = config.prompt_template
    if config.timeout_sec is not None:
        changes["timeout_sec"] = config.timeout_sec
    if config.max_turns_per_run is not None:
        changes["max_turns"] = config.max_turns_per_run
    return changes


async def _refuse_unoffered(db: AsyncConnection, adapter: str, model: str) -> None:
    item = ProblemItem(location="body.model", message="Not offered", value=model)
    if adapter == "ollama":
        if not _OWN_MODEL.match(model):
            raise Unprocessable("This is not the name of a model.", item)
        return
    prices = await agent_configs.prices(db, adapter)
    try:
        price_on(prices, model, datetime.now(UTC).date())
    except Unprocessable as unknown:
        raise Unprocessable(f"{adapter} does not offer this model here.", item) from unknown


def _known_tools(names: list[str]) -> list[str]:
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        items = [
            ProblemItem(
                location=f"body.toolNames.{names.index(name)}", message="Unknown", value=name
            )
            for name in dict.fromkeys(unknown)
        ]
        raise Unprocessable(f"There is no such tool; there are {', '.join(TOOLS)}.", *items)
    return list(dict.fromkeys(names))
