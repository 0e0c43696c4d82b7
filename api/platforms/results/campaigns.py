"""Results by ad campaign, and what was spent on each day by day."""

from datetime import timedelta
from decimal import Decimal

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from api.http.db import ReadDb
from api.http.problems import problems
from api.http.wire import UlidPath
from api.people.rights import ClientViewer
from api.platforms.results.asked import Asked, AskedCampaigns
from api.platforms.results.campaign_schemas import (
    CampaignsOut,
    DailySpendOut,
    write_campaign,
    write_totals,
)
from api.platforms.results.schemas import write_period
from models.queries.platforms import campaigns

router = APIRouter(prefix="/{company_id}/results/campaigns", tags=["Results"])
_NOTHING = Decimal(0)


@router.get(
    "",
    summary="Break results down by campaign",
    response_model=CampaignsOut,
    responses=problems(404),
)
async def list_campaign_results(
    company_id: UlidPath, viewer: ClientViewer, db: ReadDb, period: Asked, asked: AskedCampaigns
) -> Response:
    """Add the numbers of each ad campaign up over a period, with totals for each currency."""
    found = await campaigns.breakdown(
        db, company_id, period,
        platform=asked.platform, by=asked.sort_by, direction=asked.sort_dir,
    )  # fmt: skip
    body = {
        "period": write_period(period),
        "campaigns": list(map(write_campaign, found.campaigns)),
        "totals": write_totals(found.totals)
        | {"by_currency": list(map(write_totals, found.by_currency))},
    }
    return Response(orjson.dumps(body), media_type="application/json")


@router.get(
    "/daily",
    summary="Show daily spend by campaign",
    response_model=DailySpendOut,
    responses=problems(404),
)
async def list_daily_spend(
    company_id: UlidPath, viewer: ClientViewer, db: ReadDb, period: Asked, asked: AskedCampaigns
) -> Response:
    """Give what was spent on each campaign on every day of a period, 0 where nothing is stored."""
    found = await campaigns.breakdown(
        db, company_id, period,
        platform=asked.platform, by=asked.sort_by, direction=asked.sort_dir,
    )  # fmt: skip
    spent = await campaigns.daily(db, company_id, period, platform=asked.platform)
    days = [
        (number, (period.start + timedelta(days=number)).isoformat())
        for number in range(period.days)
    ]
    # A map has each key once, where it comes first. A sync may have taken days away meanwhile.
    series = {
        one.campaign_id: [
            {"date": day, "spend": float(of_days.get(number, _NOTHING))} for number, day in days
        ]
        for one in found.campaigns
        for of_days in [spent.get(one.campaign_id, {})]
    }
    return Response(orjson.dumps({"daily": series}), media_type="application/json")
