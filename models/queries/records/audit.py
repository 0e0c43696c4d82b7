"""The audit log: written in the transaction of the change it tells of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db import many
from models.ids import new_id
from models.tables.records import AuditEntry

_APPEND = many.inserting(
    AuditEntry,
    "id", "tenant_id", "actor_id", "actor_type", "entity_type", "entity_id", "action", "changes",
    "ip",
)  # fmt: skip
_SECRETS = ("secret", "password", "token", "api_key", "apikey", "credential", "env")


def redacted(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Replace what credentials hold; money and dates become text, as JSON has neither."""
    return {
        name: "[redacted]" if any(word in name.lower() for word in _SECRETS) else _plain(value)
        for name, value in changes.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return redacted(value)
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was done to one entity; `action` is a verb such as created, paused or resolved."""

    entity: str
    entity_id: str
    action: str
    changes: Mapping[str, Any]


async def record(
    db: AsyncConnection,
    tenant_id: str,
    actor: Actor,
    *,
    entity: str,
    entity_id: str,
    action: str,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Append one entry; `action` is a verb such as created, paused or resolved."""
    change = Change(entity=entity, entity_id=entity_id, action=action, changes=changes or {})
    await record_all(db, tenant_id, actor, [change])


async def record_all(
    db: AsyncConnection, tenant_id: str, actor: Actor, changes: Sequence[Change]
) -> None:
    """Append an entry for each change, in one round trip."""
    if not changes:
        return
    common = {"tenant_id": tenant_id, "actor_id": actor.id, "actor_type": actor.type}
    entries = [
        {
            "id": new_id(),
            **common,
            "entity_type": one.entity,
            "entity_id": one.entity_id,
            "action": one.action,
            "changes": redacted(one.changes),
            "ip": actor.ip,
        }
        for one in changes
    ]
    await db.execute(_APPEND, many.rows(entries))
