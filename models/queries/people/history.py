"""What happened to a client: written with the change, in the history and in the audit log.

Source: clients/common.yaml, rules.history, and clients/tier_scores.yaml, rules.adoption. What shows
that a client uses the service marks the week in which it happened.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.db import many
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What one change made happen to one client."""

    company_id: str
    occurrences: Sequence[Occurrence]


_EVENTS: Final = (
    many.inserting(
        HistoryEvent,
        "id", "tenant_id", "resource_type", "resource_id", "event_type", "field", "old_value",
        "new_value", "details", "actor_id", "created_at",
    )
    .on_conflict_do_nothing()
    .returning(HistoryEvent.resource_id)
)  # fmt: skip
_WEEKS: Final = many.inserting(
    AdoptionWeek, "tenant_id", "company_id", "week"
).on_conflict_do_nothing()


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
    happened = [Happened(company_id=company_id, occurrences=occurrences)]
    await record_all(db, tenant_id=tenant_id, actor=actor, happened=happened, at=at, once=once)


async def record_all(
    db: AsyncConnection,
    *,
    tenant_id: str,
    actor: Actor,
    happened: Sequence[Happened],
    at: datetime,
    once: str | None = None,
) -> None:
    """Record a change of each of these clients, all of them in a few statements; see `record`."""
    events = [row for one in happened for row in _rows(one, tenant_id, actor, at, once)]
    if not events:
        return
    written = set((await db.execute(_EVENTS, many.rows(events))).scalars())
    new = [one for one in happened if one.company_id in written]
    used = [one.company_id for one in new if _shows_adoption(one, actor)]
    await _mark(db, tenant_id, used, at)
    await audit.record_all(db, tenant_id, actor, [_audited(one) for one in new])


async def mark_adoption(db: AsyncConnection, tenant_id: str, company_id: str, at: datetime) -> None:
    """Remember that the client used the service in the week of this moment."""
    await _mark(db, tenant_id, [company_id], at)


async def _mark(
    db: AsyncConnection, tenant_id: str, company_ids: Sequence[str], at: datetime
) -> None:
    if not company_ids:
        return
    week = week_of(at.astimezone(UTC).date())
    weeks = [
        {"tenant_id": tenant_id, "company_id": company_id, "week": week}
        for company_id in company_ids
    ]
    await db.execute(_WEEKS, many.rows(weeks))


def _rows(
    one: Happened, tenant_id: str, actor: Actor, at: datetime, once: str | None
) -> Iterator[dict[str, Any]]:
    for number, occurrence in enumerate(one.occurrences):
        yield {
            "id": _id(one.company_id, occurrence, number, once),
            "tenant_id": tenant_id,
            "resource_type": RESOURCE,
            "resource_id": one.company_id,
            "actor_id": actor.id if _is_person(actor) else None,
            "created_at": at,
            **occurrence.columns,
        }


def _audited(one: Happened) -> audit.Change:
    return audit.Change(
        entity=RESOURCE,
        entity_id=one.company_id,
        action=one.occurrences[0].kind.removeprefix("client."),
        changes={it.field or it.kind.removeprefix("client."): it.change for it in one.occurrences},
    )


def _shows_adoption(one: Happened, actor: Actor) -> bool:
    return any(
        shows_adoption(it.kind, by_person=_is_person(actor), confirms_win=it.confirms_win)
        for it in one.occurrences
    )


def _is_person(actor: Actor) -> bool:
    return actor.type == PrincipalType.HUMAN


def _id(company_id: str, one: Occurrence, number: int, once: str | None) -> str:
    if once is None:
        return new_id()
    return derived_id("history", company_id, once, one.kind, one.field or "", str(number))
