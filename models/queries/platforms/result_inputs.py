"""The inputs of what models write about results, exactly as documented, masked, and hashed.

Source: clients/results.yaml, rules.insight.inputs, rules.ask and rules.prepare_qbr.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from models.errors import Unprocessable
from models.queries.people import text_sources as sources
from models.queries.people.text_inputs import TextInput, client_name, text_input
from models.queries.platforms import insights, result_facts
from models.rules.clients.vocabulary import PeriodType
from models.rules.results.periods import Period, period, prior

INSIGHT_FRESH: Final = timedelta(days=7)
"""For how long an insight about a quarter serves QBRs."""
NO_NUMBERS: Final = "No metric has data in the quarter that ends today."
_INSIGHT_CAMPAIGNS: Final = 20
_ANSWER_CAMPAIGNS: Final = 30
_SPEND_DAYS: Final = 30
_WINS_DAYS: Final = 90
_OF_PROFILE: Final = ("key_trading_periods", "growth_priorities_text")
_NOTHING: Final = ("goals", "wins", "health_scores", "meetings", "history", "projects")


async def for_insight(db: AsyncConnection, company_id: str, of: Period) -> TextInput | None:
    """What an insight is made from; None where the period has no numbers.

    When a platform was asked last counts by the day: a second sync of the same day that brings
    nothing new is no reason to write again.

    Raises:
        NotFound: there is no such client.
    """
    metrics = await result_facts.metrics(db, company_id, of)
    campaigns = await result_facts.largest_campaigns(db, company_id, of, most=_INSIGHT_CAMPAIGNS)
    if not metrics and not campaigns:
        return None
    profile = await sources.success_profile(db, company_id)
    return text_input(
        {
            "client": {"name": await client_name(db, company_id)},
            "period": {"type": of.type.value, **result_facts.days_of(of)},
            "prior_period": result_facts.days_of(prior(of)),
            "metrics": metrics,
            "campaigns": campaigns,
            "goals": await sources.goals(db, company_id),
            "success_profile": profile and {name: profile[name] for name in _OF_PROFILE},
            "wins": await sources.wins(db, company_id, since=of.start, until=of.end),
            "connections": await result_facts.connections(db, company_id, to_the_day=True),
        }
    )


async def for_question(
    db: AsyncConnection, company_id: str, question: str, today: date
) -> TextInput:
    """What a question is answered from, and the question.

    Raises:
        NotFound: there is no such client.
    """
    month, quarter = (period(kind, today) for kind in (PeriodType.MONTH, PeriodType.QUARTER))
    spend_since = today - timedelta(days=_SPEND_DAYS - 1)
    wins_since = today - timedelta(days=_WINS_DAYS - 1)
    insight = await result_facts.newest_insight(db, company_id)
    return text_input(
        {
            "question": question,
            "client": {"name": await client_name(db, company_id)},
            "periods": {
                "today": _between(today, today),
                "month": result_facts.days_of(month),
                "prior_month": result_facts.days_of(prior(month)),
                "quarter": result_facts.days_of(quarter),
                "prior_quarter": result_facts.days_of(prior(quarter)),
                "last_30_days": _between(spend_since, today),
                "last_90_days": _between(wins_since, today),
                **({"insight": insight["period"]} if insight else {}),
            },
            "metrics": {
                "month": await result_facts.metrics(db, company_id, month),
                "quarter": await result_facts.metrics(db, company_id, quarter),
            },
            "campaigns": await result_facts.largest_campaigns(
                db, company_id, quarter, most=_ANSWER_CAMPAIGNS
            ),
            "daily_spend": await result_facts.daily_spend(db, company_id, spend_since, today),
            "goals": await sources.goals(db, company_id),
            "insight": insight,
            "wins": await sources.wins(db, company_id, since=wins_since, until=today),
            "connections": await result_facts.connections(db, company_id),
        }
    )


async def quarter_needs_insight(db: AsyncConnection, company_id: str, at: datetime) -> bool:
    """Tell whether a QBR from the results of this quarter lacks an insight about it.

    Raises:
        NotFound: there is no such client.
        Unprocessable: the quarter has no numbers.
    """
    quarter = period(PeriodType.QUARTER, at.date())
    if not await result_facts.metrics(db, company_id, quarter):
        raise Unprocessable(NO_NUMBERS)
    since = at - INSIGHT_FRESH
    return not await insights.is_written_since(db, company_id, PeriodType.QUARTER, since)


async def for_results_qbr(db: AsyncConnection, company_id: str, today: date) -> TextInput:
    """What a QBR from results is prepared from: the quarter's metrics and the newest insight.

    It has the members of every QBR's input; what it is not made from is empty.

    Raises:
        NotFound: there is no such client.
    """
    quarter = period(PeriodType.QUARTER, today)
    empty: dict[str, Any] = {name: [] for name in _NOTHING}
    return text_input(
        {
            "client": {"name": await client_name(db, company_id)},
            "period": result_facts.days_of(quarter),
            "metrics": await result_facts.metrics(db, company_id, quarter),
            "insight": await result_facts.newest_insight(db, company_id, ends_in=quarter),
            **empty,
            "success_profile": None,
            "last_qbr": None,
        }
    )


def _between(start: date, end: date) -> dict[str, Any]:
    days = (end - start).days + 1
    return {"start": start.isoformat(), "end": end.isoformat(), "days": days}
