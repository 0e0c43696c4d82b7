"""What happened to a client: written with the change, in the history and in the audit log.

Source: clients/common.yaml, rules.history, and clients/tier_scores.yaml, rules.adoption. What shows
that a client uses the service marks the week in which it happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db import batches
from models.ids import derived_id, new_id
from models.queries.records import audit
from models.rules.clients.adoption import shows_adoption, week_of
from models.rules.clients.vocabulary import HistoryKind
from models.rules.vocabulary import PrincipalType
from models.tables.clients import AdoptionWeek, HistoryEvent

RESOURCE: Final = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One event of a client's history; values are as JSON has them, `details` is metadata."""

    kind: HistoryKind
    field: str | None = None
    old_value: Any = None
    new_value: Any = None
    details: Mapping[str, Any] = made(default_factory=dict)
    confirms_win: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "event_type": self.kind,
            "field": self.field,
            "old_value": self.old_value,
            "new_value": self.new_value,
            "details": dict(self.details),
        }

    @property
    def change(self) -> Any:
        """The event as the audit log has it."""
        if self.old_value is None and self.new_value is None:
            return dict(self.details)
        return {"from": self.old_value, "to": self.new_value}


async def record(
    db: AsyncConnection,
    *,
    tenant_id: str,
    company_id: str,
    actor: Actor,
    occurrences: Sequence[Occurrence],
    at: datetime,
    once: str | None = None,
) -> None:
    """Append the events of one change, and one audit entry named after the first of them.

    Workflows give `once`, by which the same change is recorded once however often a step is tried.
    Who is no person has no `actor_id` in the history: the system did it.
    """
    if not occurrences:
        return
    is_person = actor.type == PrincipalType.HUMAN
    common = {
        "tenant_id": tenant_id,
        "resource_type": RESOURCE,
        "resource_id": company_id,
        "actor_id": actor.id if is_person else None,
        "created_at": at,
    }
    rows = [
        {"id": _id(company_id, one, number, once), **one.columns, **common}
        for number, one in enumerate(occurrences)
    ]
    written = await db.execute(insert(HistoryEvent).values(rows).on_conflict_do_nothing())
    if not written.rowcount:
        return
    if any(
        shows_adoption(one.kind, by_person=is_person, confirms_win=one.confirms_win)
        for one in occurrences
    ):
        await mark_adoption(db, tenant_id, company_id, at)
    await audit.record(
        db,
        tenant_id,
        actor,
        entity=RESOURCE,
        entity_id=company_id,
        action=occurrences[0].kind.removeprefix("client."),
        changes={one.field or one.kind.removeprefix("client."): one.change for one in occurrences},
    )


async def record_for_each(
    db: AsyncConnection,
    *,
    tenant_id: str,
    company_ids: Sequence[str],
    actor: Actor,
    occurrence: Occurrence,
    at: datetime,
) -> None:
    """Append the same event for each of many clients, as `record` would, in two statements.

    It is for what an import does to thousands, and for kinds that do not show adoption.
    """
    await batches.insert(
        db,
        HistoryEvent,
        [{"id": new_id(), "resource_id": company_id} for company_id in company_ids],
        tenant_id=tenant_id,
        resource_type=RESOURCE,
        actor_id=actor.id if actor.type == PrincipalType.HUMAN else None,
        created_at=at,
        **occurrence.columns,
    )
    name = occurrence.kind.removeprefix("client.")
    changes = {occurrence.field or name: occurrence.change}
    await audit.record_each(
        db,
        tenant_id,
        actor,
        entity=RESOURCE,
        action=name,
        changes=dict.fromkeys(company_ids, changes),
    )


async def mark_adoption(db: AsyncConnection, tenant_id: str, company_id: str, at: datetime) -> None:
    """Remember that the client used the service in the week of this moment."""
    week = week_of(at.astimezone(UTC).date())
    await db.execute(
        insert(AdoptionWeek)
        .values(tenant_id=tenant_id, company_id=company_id, week=week)
        .on_conflict_do_nothing()
    )


def _id(company_id: str, one: Occurrence, number: int, once: str | None) -> str:
    if once is None:
        return new_id()
    return derived_id("history", company_id, once, one.kind, one.field or "", str(number))
