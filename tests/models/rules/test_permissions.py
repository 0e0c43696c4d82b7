"""Default permissions of roles."""

from itertools import pairwise

import pytest

from models.rules.permissions import CATALOGUE, PlatformRole, holds, platform_role
from models.rules.vocabulary import Role


def test_the_owner_holds_everything():
    assert all(PlatformRole.OWNER in roles for roles in CATALOGUE.values())


@pytest.mark.parametrize(
    ("role", "resource", "action", "held"),
    [
        (PlatformRole.VIEWER, "record", "view", True),
        (PlatformRole.VIEWER, "record", "create", False),
        (PlatformRole.MEMBER, "document", "edit", False),
        (PlatformRole.MEMBER, "document", "edit_own", True),
        (PlatformRole.ADMIN, "document", "edit", True),
        (PlatformRole.MEMBER, "clients", "manage", False),
        (PlatformRole.ADMIN, "no_such_thing", "view", False),
    ],
)
def test_roles_hold_what_the_catalogue_says(
    role: PlatformRole, resource: str, action: str, held: bool
):
    assert holds(role, resource, action) is held


def test_each_role_holds_what_the_one_below_it_holds():
    ladder = [PlatformRole.VIEWER, PlatformRole.MEMBER, PlatformRole.ADMIN, PlatformRole.OWNER]
    for lower, higher in pairwise(ladder):
        assert all(holds(higher, *name) for name in CATALOGUE if holds(lower, *name))


@pytest.mark.parametrize(("wider", "narrower"), [("manage", "update"), ("update", "view")])
@pytest.mark.parametrize("role", list(PlatformRole))
def test_of_clients_each_right_includes_the_narrower(role: PlatformRole, wider: str, narrower: str):
    assert holds(role, "clients", narrower) or not holds(role, "clients", wider)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.REVIEWER, {"view"}),
        (Role.MEMBER, {"view", "update"}),
        (Role.ADMIN, {"view", "update", "manage"}),
    ],
)
def test_dashboard_roles_hold_rights_on_clients(role: Role, rights: set[str]):
    asked = ("view", "update", "manage")
    assert {name for name in asked if holds(platform_role(role), "clients", name)} == rights


def test_a_reviewer_is_a_viewer():
    assert platform_role(Role.REVIEWER) is PlatformRole.VIEWER
