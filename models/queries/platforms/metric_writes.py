"""What a platform reported, written in the place of what was stored before.

Rows come in batches, each the JSON array that `models.db.many` makes of them. A window of campaign
days is replaced as a whole: a row that the platform reports no longer is gone. Of an account every
day has rows, so that a day without any is one that the platform does not tell (yet, or any more):
it stays as it was. All of it happens in the caller's transaction, under `hold`.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Delete,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.db import many
from models.queries.platforms import connections
from models.queries.platforms.connection_days import Pulling
from models.rules.clients.metrics import STANDINGS
from models.rules.results.campaigns import CampaignStatus
from models.tables.base import Base
from models.tables.results import (
    AdCampaign,
    AdCreative,
    CampaignDaily,
    CampaignReach,
    CreativeDaily,
    MetricSnapshot,
)

REACH_KEPT: Final = timedelta(days=60)
"""How long the reach of rolling periods is kept; that of whole months stays."""
_FIXED: Final[dict[str, ColumnElement[Any]]] = {
    "tenant_id": bindparam("tenant", type_=Text),
    "company_id": bindparam("company", type_=Text),
    "platform": bindparam("vendor", type_=Text),
    "account_id": bindparam("account", type_=Text),
    "as_of": bindparam("at", type_=DateTime(timezone=True)),
    "updated_at": bindparam("at", type_=DateTime(timezone=True)),
    "period_start": bindparam("first", type_=Date),
    "period_end": bindparam("last", type_=Date),
}
_FIRST: Final = _FIXED["period_start"]
_LAST: Final = _FIXED["period_end"]


def _inserting(table: type[Base], *sent: str) -> Insert:
    """Insert rows of which these columns are sent and the others are the same for all."""
    source = many.sent(table, *sent)
    fixed = [name for name in table.__table__.c.keys() if name in _FIXED and name not in sent]
    columns = [*(_FIXED[name] for name in fixed), *(source.c[name] for name in sent)]
    return insert(table).from_select([*fixed, *sent], select(*columns))


def _replacing(table: type[Base], key: str, *sent: str) -> Insert:
    """Insert rows, or put what is sent in the place of those that are there."""
    new = _inserting(table, key, *sent)
    changed = [*sent, *(name for name in ("account_id", "updated_at") if name in table.__table__.c)]
    return new.on_conflict_do_update(
        index_elements=["company_id", "platform", key],
        set_={name: new.excluded[name] for name in changed},
    )


def _ours(table: Any) -> ColumnElement[bool]:
    return and_(table.company_id == _FIXED["company_id"], table.platform == _FIXED["platform"])


def _of_campaign(table: Any, campaign_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the campaign is the account's, as far as is known.

    A client may have been connected to another account of the platform; what is stored of its
    campaigns stays.
    """
    other = exists().where(
        _ours(AdCampaign),
        AdCampaign.campaign_id == campaign_id,
        AdCampaign.account_id != _FIXED["account_id"],
    )
    return and_(_ours(table), ~other)


def _stale_creatives() -> Delete:
    other = (
        select(AdCreative.creative_id)
        .join(
            AdCampaign,
            and_(_ours(AdCampaign), AdCampaign.campaign_id == AdCreative.campaign_id),
        )
        .where(
            _ours(AdCreative),
            AdCreative.creative_id == CreativeDaily.creative_id,
            AdCampaign.account_id != _FIXED["account_id"],
        )
    )
    days = CreativeDaily.day.between(_FIRST, _LAST)
    return delete(CreativeDaily).where(_ours(CreativeDaily), days, ~exists(other))


_LOCK: Final = text("select pg_advisory_xact_lock(hashtextextended(:company || :vendor, 0))")
_PARTS: Final = text("select ensure_day_parts(:first, :last)")
_STALE_METRICS: Final = delete(MetricSnapshot).where(
    _ours(MetricSnapshot),
    MetricSnapshot.account_id == _FIXED["account_id"],
    MetricSnapshot.day.between(_FIRST, _LAST),
    MetricSnapshot.day == func.any(bindparam("told", type_=ARRAY(Date))),
    or_(
        MetricSnapshot.metric_key.not_in(sorted(STANDINGS)),
        MetricSnapshot.day == func.any(bindparam("with_standing", type_=ARRAY(Date))),
    ),
)
_STALE_CAMPAIGN_DAYS: Final = delete(CampaignDaily).where(
    _of_campaign(CampaignDaily, CampaignDaily.__table__.c.campaign_id),
    CampaignDaily.day.between(_FIRST, _LAST),
)
_STALE_CREATIVE_DAYS: Final = _stale_creatives()
_STALE_REACH: Final = delete(CampaignReach).where(
    _of_campaign(CampaignReach, CampaignReach.__table__.c.campaign_id),
    or_(
        and_(CampaignReach.period_start == _FIRST, CampaignReach.period_end == _LAST),
        and_(
            CampaignReach.period_end < bindparam("kept_from", type_=Date),
            # The last day of a month: the next one is the first of another.
            extract("day", CampaignReach.period_end + literal(1)) != 1,
        ),
    ),
)
# A row comes at most once; should a platform repeat one, the first stays.
_METRICS: Final = _inserting(
    MetricSnapshot, "day", "metric_key", "value", "currency"
).on_conflict_do_nothing()
_CAMPAIGN_DAYS: Final = _inserting(
    CampaignDaily, "day", "campaign_id", "spend", "impressions", "clicks", "conversions",
    "conversion_value", "reach", "currency",
).on_conflict_do_nothing()  # fmt: skip
_CREATIVE_DAYS: Final = _inserting(
    CreativeDaily, "day", "creative_id", "spend", "conversions"
).on_conflict_do_nothing()
_REACH: Final = _inserting(CampaignReach, "campaign_id", "reach").on_conflict_do_nothing()
_CAMPAIGNS: Final = _replacing(
    AdCampaign, "campaign_id", "name", "status", "objective", "daily_budget", "lifetime_budget"
)
_CREATIVES: Final = _replacing(AdCreative, "creative_id", "campaign_id", "title", "body")
_REMOVED: Final = (
    update(AdCampaign)
    .where(
        _ours(AdCampaign),
        AdCampaign.account_id == _FIXED["account_id"],
        AdCampaign.updated_at < _FIXED["updated_at"],
        AdCampaign.status != CampaignStatus.REMOVED,
    )
    .values(status=CampaignStatus.REMOVED)
)


async def hold(db: AsyncConnection, of: Pulling) -> None:
    """Keep others from writing this client's numbers of the platform until the transaction ends.

    Raises:
        NotActive: the connection expired or was disconnected; nothing of it is stored any more.
    """
    await db.execute(_LOCK, {"company": of.company_id, "vendor": of.platform})
    await connections.require_active(db, of.connection_id)


async def replace_account_days(
    db: AsyncConnection,
    of: Pulling,
    first: date,
    last: date,
    at: datetime,
    rows: Iterable[str],
    *,
    told: Collection[date],
    with_standing: Collection[date],
) -> None:
    """Store the account's metrics of the days that were told, and nothing else of those.

    A standing is told of the moment alone: that of a day stays until that day has a newer one.
    """
    bound = {
        **_bound(of, at),
        "first": first, "last": last, "told": list(told), "with_standing": list(with_standing),
    }  # fmt: skip
    await db.execute(_PARTS, bound)
    await db.execute(_STALE_METRICS, bound)
    await _write(db, _METRICS, bound, rows)


async def replace_campaign_days(
    db: AsyncConnection,
    of: Pulling,
    first: date,
    last: date,
    at: datetime,
    *,
    campaigns: Iterable[str],
    creatives: Iterable[str],
) -> None:
    """Store the campaigns' and the creatives' days, and nothing else of the account's on them."""
    bound = {**_bound(of, at), "first": first, "last": last}
    await db.execute(_PARTS, bound)
    await db.execute(_STALE_CAMPAIGN_DAYS, bound)
    await db.execute(_STALE_CREATIVE_DAYS, bound)
    await _write(db, _CAMPAIGN_DAYS, bound, campaigns)
    await _write(db, _CREATIVE_DAYS, bound, creatives)


async def put_campaigns(
    db: AsyncConnection,
    of: Pulling,
    at: datetime,
    *,
    campaigns: Iterable[str],
    creatives: Iterable[str],
) -> None:
    """Store campaigns and creatives as they are now; a campaign that is not listed was removed."""
    bound = _bound(of, at)
    await _write(db, _CAMPAIGNS, bound, campaigns)
    await db.execute(_REMOVED, bound)
    await _write(db, _CREATIVES, bound, creatives)


async def replace_reach(
    db: AsyncConnection, of: Pulling, first: date, last: date, at: datetime, rows: Iterable[str]
) -> None:
    """Store the campaigns' reach over a period, and drop what rolled on long ago."""
    bound = {**_bound(of, at), "first": first, "last": last, "kept_from": last - REACH_KEPT}
    await db.execute(_STALE_REACH, bound)
    await _write(db, _REACH, bound, rows)


def _bound(of: Pulling, at: datetime) -> dict[str, Any]:
    return {
        "tenant": of.tenant_id,
        "company": of.company_id,
        "vendor": of.platform,
        "account": of.account_id,
        "at": at,
    }


async def _write(
    db: AsyncConnection, statement: Insert, bound: dict[str, Any], batches: Iterable[str]
) -> None:
    for batch in batches:
        await db.execute(statement, {**bound, many.ROWS: batch})
