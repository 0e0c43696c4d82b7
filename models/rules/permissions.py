"""Which role holds which permission where a workspace has not set it otherwise."""

from enum import StrEnum
from typing import Final

from models.rules.vocabulary import Role


class PlatformRole(StrEnum):
    """A member's role in a workspace, as the platform names it."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


_OWNER = frozenset({PlatformRole.OWNER})
_ADMINS = _OWNER | {PlatformRole.ADMIN}
_MEMBERS = _ADMINS | {PlatformRole.MEMBER}
_ALL = _MEMBERS | {PlatformRole.VIEWER}

CATALOGUE: Final[dict[tuple[str, str], frozenset[PlatformRole]]] = {
    ("action", "view"): _ALL,
    ("action", "create"): _MEMBERS,
    ("action", "edit"): _ADMINS,
    ("action", "edit_own"): _MEMBERS,
    ("action", "delete"): _ADMINS,
    ("action", "delete_own"): _MEMBERS,
    ("goal", "view"): _ALL,
    ("goal", "create"): _MEMBERS,
    ("goal", "edit"): _ADMINS,
    ("goal", "edit_own"): _MEMBERS,
    ("goal", "delete"): _ADMINS,
    ("goal", "delete_own"): _MEMBERS,
    ("record", "view"): _ALL,
    ("record", "create"): _MEMBERS,
    ("record", "edit"): _MEMBERS,
    ("record", "delete"): _ADMINS,
    ("record", "delete_own"): _MEMBERS,
    ("recordset", "create"): _MEMBERS,
    ("recordset", "delete"): _ADMINS,
    ("contact", "view"): _ALL,
    ("contact", "create"): _MEMBERS,
    ("contact", "edit"): _MEMBERS,
    ("contact", "delete"): _ADMINS,
    ("contact", "delete_own"): _MEMBERS,
    ("pipeline", "view"): _ALL,
    ("pipeline", "create"): _MEMBERS,
    ("pipeline", "edit"): _MEMBERS,
    ("pipeline", "delete"): _ADMINS,
    ("document", "view"): _ALL,
    ("document", "create"): _MEMBERS,
    ("document", "edit"): _ADMINS,
    ("document", "edit_own"): _MEMBERS,
    ("document", "delete"): _ADMINS,
    ("document", "delete_own"): _MEMBERS,
    ("channel", "create"): _MEMBERS,
    ("channel", "edit"): _ADMINS,
    ("channel", "delete"): _ADMINS,
    ("meeting", "create"): _MEMBERS,
    ("report", "view"): _ALL,
    ("report", "create"): _MEMBERS,
    ("member", "view"): _ALL,
    ("member", "create"): _ADMINS,
    ("member", "edit"): _ADMINS,
    ("member", "delete"): _ADMINS,
    ("team", "view"): _ALL,
    ("team", "create"): _ADMINS,
    ("team", "edit"): _ADMINS,
    ("team", "delete"): _ADMINS,
    ("api_key", "manage"): _ADMINS,
    ("webhook", "manage"): _ADMINS,
    ("integration", "manage"): _ADMINS,
    ("module", "manage"): _ADMINS,
    ("brand", "manage"): _ADMINS,
    ("billing", "manage"): _ADMINS,
    # Of the clients area, where manage includes update and update includes view.
    ("clients", "view"): _ALL,
    ("clients", "update"): _MEMBERS,
    ("clients", "manage"): _ADMINS,
}

_OF_DASHBOARD: Final = {
    Role.ADMIN: PlatformRole.ADMIN,
    Role.MEMBER: PlatformRole.MEMBER,
    Role.REVIEWER: PlatformRole.VIEWER,
}


def platform_role(role: Role) -> PlatformRole:
    """The platform's name for a dashboard role; a reviewer is a viewer there."""
    return _OF_DASHBOARD[role]


def holds(role: PlatformRole, resource: str, action: str) -> bool:
    """Tell whether the role has the permission by default; the owner has every one there is.

    A wider action implies the narrower: who may edit may edit what is theirs.
    """
    wider = action.removesuffix("_own")
    return any(role in CATALOGUE.get((resource, name), frozenset()) for name in (action, wider))
