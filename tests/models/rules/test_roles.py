import re
from decimal import Decimal

import pytest

from models.rules.roles import PLANNER, ROLES, TOOLS, is_working_role


def test_all_roles_are_shipped():
    assert set(ROLES) == {
        "activity_planner", "strategist", "copywriter", "social_media_manager", "ads_specialist",
        "email_marketer", "seo_specialist", "analyst", "editor",
    }  # fmt: skip


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_defaults_are_within_what_a_tenant_could_set(role):
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,63}", role.name)
    assert set(role.tool_names) <= set(TOOLS)
    assert 1 <= role.concurrency <= 10
    assert 10 <= role.timeout_sec <= 3600
    assert 1 <= role.max_turns <= 200
    assert role.max_cost_usd is None or role.max_cost_usd > Decimal(0)


def test_nobody_changes_the_roles():
    with pytest.raises(TypeError):
        ROLES["boss"] = ROLES[PLANNER]  # type: ignore[index]


def test_no_work_goes_to_the_planner_or_to_a_stranger():
    assert [name for name in (*ROLES, "boss") if not is_working_role(name)] == [PLANNER, "boss"]
