"""What companies have brought in since the beginning, for pages that show one number.

Source: clients/clients.yaml, rules.detail, and clients/tier_scores.yaml, rules.revenue: the source
is chosen for all of time, and an entry without an amount in the reporting currency counts nowhere.
"""

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, func, or_, select
from sqlalchemy.sql.selectable import FromClause

from models.rules.clients.revenue import SOURCES, SourceTotals, source_of
from models.rules.clients.vocabulary import RevenueSource
from models.tables.clients_revenue import RevenueEntry


def of_all_time(company_id: SQLColumnExpression[str]) -> FromClause:
    """A company's entries and their sums by source, named like the members of `SourceTotals`."""
    columns: list[ColumnElement[Any]] = []
    for source in (RevenueSource.NUCLEUS, RevenueSource.PRODUCTIVE):
        origins = [origin for origin, its in SOURCES.items() if its is source]
        belongs = or_(*(RevenueEntry.origin == origin for origin in origins))
        total = func.sum(RevenueEntry.amount).filter(belongs)
        columns += [
            func.count().filter(belongs).label(f"{source}_entries"),
            func.coalesce(total, 0).label(f"{source}_total"),
        ]
    return (
        select(*columns)
        .where(RevenueEntry.company_id == company_id, RevenueEntry.amount.is_not(None))
        .lateral("revenue")
    )


def chosen_total(totals: SourceTotals) -> Decimal:
    """The sum of the one source that counts, not rounded: it may be added up further."""
    source = source_of(
        nucleus_entries=totals.nucleus_entries, productive_entries=totals.productive_entries
    )
    if source is RevenueSource.NUCLEUS:
        return totals.nucleus_total
    return totals.productive_total if source is RevenueSource.PRODUCTIVE else Decimal(0)
