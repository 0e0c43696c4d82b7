"""Success profiles: a client's answers to the questionnaire, and its first completion.

Source: clients/success_profile.yaml. There is no profile before the first answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.contracts.actors import Actor
from models.errors import Invalid, ProblemItem
from models.ids import new_id
from models.queries.people import client_profiles, history
from models.queries.people.client_profiles import ClientProfile
from models.queries.people.history import Occurrence
from models.rules.clients.success import Answers, exceeds_whole, is_complete
from models.rules.clients.vocabulary import HistoryKind, NotificationKind
from models.tables.clients_reviews import SuccessProfile

CHANNELS: Final = ("channel_online_pct", "channel_instore_pct", "channel_wholesale_pct")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow:
    """A success profile; trading periods are as JSON has them."""

    id: str
    company_id: str
    financial_year_start: str | None = None
    financial_year_end: str | None = None
    key_trading_periods: Sequence[Mapping[str, Any]] = ()
    channel_online_pct: Decimal | None = None
    channel_instore_pct: Decimal | None = None
    channel_wholesale_pct: Decimal | None = None
    celebration_vision: str | None = None
    growth_priorities_text: str | None = None
    company_direction_text: str | None = None
    completed_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def channels(self) -> tuple[Decimal | None, ...]:
        return (self.channel_online_pct, self.channel_instore_pct, self.channel_wholesale_pct)

    @property
    def is_complete(self) -> bool:
        """Whether every question is answered now."""
        return is_complete(
            Answers(
                financial_year_start=self.financial_year_start,
                financial_year_end=self.financial_year_end,
                trading_periods=len(self.key_trading_periods),
                channel_pcts=self.channels,
                celebration_vision=self.celebration_vision,
                growth_priorities_text=self.growth_priorities_text,
                company_direction_text=self.company_direction_text,
            )
        )


_OF_CLIENT = select(
    SuccessProfile.id, SuccessProfile.company_id,
    SuccessProfile.financial_year_start, SuccessProfile.financial_year_end,
    SuccessProfile.key_trading_periods, SuccessProfile.channel_online_pct,
    SuccessProfile.channel_instore_pct, SuccessProfile.channel_wholesale_pct,
    SuccessProfile.celebration_vision, SuccessProfile.growth_priorities_text,
    SuccessProfile.company_direction_text, SuccessProfile.completed_at,
    SuccessProfile.created_at, SuccessProfile.updated_at,
).where(SuccessProfile.company_id == bindparam("company_id"))  # fmt: skip


async def of_client(db: AsyncConnection, company_id: str) -> ProfileRow | None:
    """The client's profile; None before the first answer."""
    found = await db.execute(_OF_CLIENT, {"company_id": company_id})
    row = found.one_or_none()
    return ProfileRow(**row._mapping) if row is not None else None


async def answer(
    db: AsyncConnection, company_id: str, answers: Mapping[str, Any], *, actor: Actor, at: datetime
) -> ProfileRow:
    """Take answers by their columns, and answer the profile as it is then.

    The first answer makes the profile; what is known already is no change. The delivery manager is
    told when everything is answered for the first time.

    Raises:
        NotFound: there is no such client.
        Invalid: the channels together would be more than everything.
    """
    # All answers of a client wait here for each other, so that it is completed once.
    client = await client_profiles.locked(db, company_id)
    stored = await of_client(db, company_id)
    before = stored or ProfileRow(id=new_id(), company_id=company_id, created_at=at, updated_at=at)
    changed = {name: value for name, value in answers.items() if value != getattr(before, name)}
    if stored is not None and not changed:
        return stored
    after = ProfileRow(**(asdict(before) | changed | {"updated_at": at}))
    _refuse_too_much(after, answers)
    completes = before.completed_at is None and after.is_complete
    if completes:
        after = ProfileRow(**(asdict(after) | {"completed_at": at}))
    await _store(db, client.tenant_id, after)
    await _record(db, client, sorted(changed or answers), completes, actor=actor, at=at)
    return after


def _refuse_too_much(profile: ProfileRow, answers: Mapping[str, Any]) -> None:
    if not exceeds_whole(profile.channels):
        return
    items = [
        ProblemItem(
            location=f"body.{name}",
            message="The channels together would exceed 100.",
            value=float(answers[name]),
        )
        for name in CHANNELS
        if answers.get(name) is not None
    ]
    raise Invalid("The channels together are more than 100 percent.", *items)


async def _store(db: AsyncConnection, tenant_id: str, profile: ProfileRow) -> None:
    values = asdict(profile) | {"key_trading_periods": list(profile.key_trading_periods)}
    await db.execute(
        insert(SuccessProfile)
        .values(tenant_id=tenant_id, **values)
        .on_conflict_do_update(index_elements=["company_id"], set_=values)
    )


async def _record(
    db: AsyncConnection,
    client: ClientProfile,
    changed: Sequence[str],
    completes: bool,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    occurrences = [
        Occurrence(kind=HistoryKind.SUCCESS_PROFILE_UPDATED, details={"changed": changed})
    ]
    if completes:
        occurrences.append(Occurrence(kind=HistoryKind.SUCCESS_PROFILE_COMPLETED))
    await history.record(
        db,
        tenant_id=client.tenant_id,
        company_id=client.company_id,
        actor=actor,
        occurrences=occurrences,
        at=at,
    )
    if completes:
        await client_profiles.tell_delivery_manager(
            db,
            client,
            NotificationKind.SUCCESS_PROFILE_COMPLETED,
            title=f"The success profile of {client.name} is complete",
            body="Every question of the success questionnaire has an answer now.",
            payload={"company_id": client.company_id},
            once=client.company_id,
        )
