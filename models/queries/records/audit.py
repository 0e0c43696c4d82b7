"""The audit log: written in the transaction of the change it tells of."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db import batches
from models.ids import new_id
from models.tables.records import AuditEntry

_APPEND = insert(AuditEntry)
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
    await db.execute(
        _APPEND,
        {
            "id": new_id(),
            "tenant_id": tenant_id,
            "actor_id": actor.id,
            "actor_type": actor.type,
            "entity_type": entity,
            "entity_id": entity_id,
            "action": action,
            "changes": redacted(changes or {}),
            "ip": actor.ip,
        },
    )


async def record_each(
    db: AsyncConnection,
    tenant_id: str,
    actor: Actor,
    *,
    entity: str,
    action: str,
    changes: Mapping[str, Mapping[str, Any]],
) -> None:
    """Append one entry for each entity, by its id, of which the same was done."""
    await batches.insert(
        db,
        AuditEntry,
        [
            {"id": new_id(), "entity_id": one, "changes": redacted(of)}
            for one, of in changes.items()
        ],
        tenant_id=tenant_id,
        actor_id=actor.id,
        actor_type=actor.type,
        entity_type=entity,
        action=action,
        ip=actor.ip,
    )
