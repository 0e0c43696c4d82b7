"""A Meta that speaks the wire format of its Marketing API: accounts, reports, campaigns, ads."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.responses import Response

from workers.fakes.ad_accounts import AdAccount, FakeCampaign, Numbers
from workers.fakes.vendor import Answerer, Call, FakeVendor, json_response

Row = dict[str, Any]

TOKEN: Final = "EAAB0PlantedTokenOfTheNorthwindClient7hQ"
_OBJECTIVES: Final = MappingProxyType(
    {
        "sales": "OUTCOME_SALES",
        "leads": "OUTCOME_LEADS",
        "traffic": "OUTCOME_TRAFFIC",
        "awareness": "OUTCOME_AWARENESS",
    }
)
_STATUSES: Final = MappingProxyType({"active": "ACTIVE", "paused": "PAUSED", "ended": "ACTIVE"})
_TRACE: Final = "AbCdEfGhIjKlMnOp"


@dataclass(frozen=True, slots=True)
class _Run:
    form: Mapping[str, str]
    status: str


@dataclass
class FakeMeta(FakeVendor):
    """One ad account behind one token. `longest_report` is how many days a report can hold."""

    account: AdAccount = field(
        default_factory=lambda: AdAccount(seed=11, account_id="1029384756", today=date(2026, 3, 10))
    )
    token: str = TOKEN
    longest_report: int = 1000
    refuses_long_reports: bool = False
    """Whether too long a report is refused at once instead of failing later."""
    used_pct: int = 7
    """How much of the quota is used, as headers tell."""
    polls_needed: int = 1
    tells_of_token: bool = True
    most_on_a_page: int = 1000
    """More than this on a page is too much, and refused."""
    hidden: dict[str, str] = field(default_factory=dict)
    """Campaigns, by their ids, that are ARCHIVED or DELETED by now, with all of their ads."""
    _runs: dict[str, _Run] = field(default_factory=dict)
    _polls: dict[str, int] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(6028000001))

    def routes(self) -> Mapping[str, Answerer]:
        return {
            "/v25.0/debug_token": self._debug_token,
            "/v25.0/act_{id}": self._account,
            "/v25.0/act_{id}/insights": self._start,
            "/v25.0/act_{id}/campaigns": self._campaigns,
            "/v25.0/act_{id}/ads": self._ads,
            "/v25.0/{run}/insights": self._report,
            "/v25.0/{run}": self._run,
        }

    def refuse_token(self, call: Call) -> Response | None:
        given = call.headers.get("authorization")
        if given == f"Bearer {self.token}" and not self.faults.revoked:
            return None
        # Meta repeats parts of what it refuses.
        return self._error(
            f"Error validating access token: the token {str(given)[7:]} has been revoked.",
            190, 400, subcode=460, kind="OAuthException",
        )  # fmt: skip

    def out_of_quota(self, call: Call) -> Response:
        return self._error(
            "User request limit reached", 17, 400, subcode=2446079, kind="OAuthException",
            headers=self._usage(100, minutes=6),
        )  # fmt: skip

    def broken(self, call: Call) -> Response:
        return self._error("An unknown error occurred", 1, 500, transient=True)

    def _account(self, call: Call) -> Response:
        if not self._is_ours(call):
            return self._unknown(call)
        account = self.account
        return self._answer(
            {
                "id": f"act_{account.account_id}",
                "account_id": account.account_id,
                "name": account.name,
                "currency": account.currency,
                "timezone_name": account.time_zone,
                "account_status": 1,
            }
        )

    def _debug_token(self, call: Call) -> Response:
        allowed = self.tells_of_token and call.form.get("method") == "GET"
        if call.method != "POST" or not allowed:
            return self._error("Unsupported request", 100, 400)
        ends = datetime.combine(self.account.today + timedelta(days=58), time(), ZoneInfo("UTC"))
        return self._answer(
            {
                "data": {
                    "app_id": "1",
                    "is_valid": True,
                    "expires_at": int(ends.timestamp()),
                    "scopes": ["ads_read", "business_management"],
                }
            }
        )

    def _start(self, call: Call) -> Response:
        if not self._is_ours(call):
            return self._unknown(call)
        if call.method != "POST":
            return self._error("Only asynchronous reports here", 100, 400)
        first, last = _range(call.form)
        too_long = (last - first).days + 1 > self.longest_report
        if too_long and self.refuses_long_reports:
            return self._too_much()
        run = str(next(self._numbers))
        self._runs[run] = _Run(call.form, "Job Failed" if too_long else "Job Completed")
        return self._answer({"report_run_id": run})

    def _run(self, call: Call) -> Response:
        id = call.path.rsplit("/", 1)[-1]
        if id not in self._runs:
            return self._unknown(call)
        self._polls[id] = self._polls.get(id, 0) + 1
        done = self._polls[id] > self.polls_needed
        status = self._runs[id].status if done else "Job Running"
        percent = 100 if status == "Job Completed" else 40
        told = {"id": id, "async_status": status, "async_percent_completion": percent}
        return self._answer(told)

    def _report(self, call: Call) -> Response:
        run = self._runs.get(call.path.split("/")[2])
        if run is None:
            return self._unknown(call)
        return self._page(self._rows(run.form), call)

    def _campaigns(self, call: Call) -> Response:
        asked = _asked(call)
        if "DELETED" in asked:
            return self._deleted()
        listed = (one for one in self.account.campaigns if self._shown(one, asked))
        return self._page([self._campaign(one) for one in listed], call)

    def _ads(self, call: Call) -> Response:
        asked = _asked(call)
        if "DELETED" in asked:
            return self._deleted()
        rows: list[Row] = [
            {
                "id": ad.id,
                "campaign_id": campaign.id,
                "creative": {
                    "id": f"9{ad.id}",
                    "title": ad.title,
                    # The second of each campaign keeps its text in the post.
                    **({"object_story_spec": {"link_data": {"message": ad.body}}}
                       if place == 1 else {"body": ad.body}),
                },
            }
            for campaign in self.account.campaigns
            if self._shown(campaign, asked)
            for place, ad in enumerate(campaign.ads)
        ]  # fmt: skip
        return self._page(rows, call)

    def _campaign(self, campaign: FakeCampaign) -> Row:
        cents = 1 if self.account.currency == "JPY" else 100
        row: Row = {
            "id": campaign.id,
            "name": campaign.name,
            "effective_status": self.hidden.get(campaign.id, _STATUSES[campaign.status]),
            "objective": _OBJECTIVES[campaign.objective],
        }
        if campaign.daily_budget:
            row["daily_budget"] = str(int(campaign.daily_budget * cents))
        if campaign.lifetime_budget:
            row["lifetime_budget"] = str(int(campaign.lifetime_budget * cents))
        if campaign.last:
            row["stop_time"] = f"{campaign.last}T23:59:59+0100"
        return row

    def _rows(self, form: Mapping[str, str]) -> list[Row]:
        first, last = _range(form)
        spans = [(first, last)]
        if form["time_increment"] == "1":
            every = range((last - first).days + 1)
            spans = [(day, day) for day in (first + timedelta(days=past) for past in every)]
        level, asked = form["level"], _filtered(form)
        shown = [one for one in self.account.campaigns if self._shown(one, asked)]
        return [row for start, end in spans for row in self._span(level, shown, start, end)]

    def _shown(self, campaign: FakeCampaign, asked: Sequence[str]) -> bool:
        """What is archived or deleted is left out where nobody asks for it."""
        hidden = self.hidden.get(campaign.id)
        return hidden is None or hidden in asked

    def _span(
        self, level: str, shown: Sequence[FakeCampaign], first: date, last: date
    ) -> list[Row]:
        account = self.account
        days = [first + timedelta(days=past) for past in range((last - first).days + 1)]
        rows: list[Row] = []
        if level == "account":
            numbers = sum((account.account_day(day) for day in days), Numbers())
            reach = account.reach(account.campaigns, first, last)
            rows.append(self._row(numbers, first, last, reach, {"account_id": account.account_id}))
        for campaign in shown:
            if level == "campaign":
                numbers = sum((account.campaign_day(campaign, day) for day in days), Numbers())
                reach = account.reach([campaign], first, last)
                rows.append(self._row(numbers, first, last, reach, {"campaign_id": campaign.id}))
            for ad in campaign.ads if level == "ad" else ():
                numbers = sum((account.ad_day(campaign, ad, day) for day in days), Numbers())
                rows.append(self._row(numbers, first, last, 0, {"ad_id": ad.id}))
        # Meta leaves out what had no activity.
        return [row for row in rows if row["impressions"] != "0"]

    def _row(self, numbers: Numbers, first: date, last: date, reach: int, ids: Row) -> Row:
        row: Row = {
            **ids,
            "spend": str(numbers.spend),
            "impressions": str(numbers.impressions),
            "clicks": str(numbers.clicks),
            "reach": str(reach),
            "date_start": first.isoformat(),
            "date_stop": last.isoformat(),
        }
        kinds = ("link_click", "omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
        if numbers.conversions:
            row["actions"] = [
                {"action_type": kind, "value": str(numbers.conversions)} for kind in kinds
            ]
        if numbers.value:
            row["action_values"] = [
                {"action_type": kind, "value": str(numbers.value)} for kind in kinds[1:]
            ]
        return row

    def _page(self, rows: Sequence[Row], call: Call) -> Response:
        limit = min(int(call.query.get("limit", "25")), self.page_limit)
        if limit > self.most_on_a_page:
            return self._too_much()
        start = int(call.query.get("after", "0"))
        page = list(rows[start : start + limit])
        if self.faults.doubled_pages and start:
            page.insert(0, rows[start - 1])
        end = min(start + limit, len(rows))
        paging: Row = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(rows):
            # As the real one does: the token is in the address.
            paging["next"] = (
                f"https://graph.facebook.com{call.path}?access_token={self.token}&after={end}"
            )
        return self._answer({"data": page, **({"paging": paging} if page else {})})

    def _is_ours(self, call: Call) -> bool:
        return call.path.split("/")[2] == f"act_{self.account.account_id}"

    def _unknown(self, call: Call) -> Response:
        said = "Unsupported get request. Object does not exist or cannot be loaded."
        return self._error(said, 100, 400, subcode=33, kind="GraphMethodException")

    def _deleted(self) -> Response:
        said = "Requests for deleted objects are not supported in this endpoint."
        return self._error(said, 100, 400, subcode=1815001)

    def _too_much(self) -> Response:
        said = "Please reduce the amount of data you're asking for, then retry your request"
        return self._error(said, 1, 500, subcode=1487534)

    def _answer(self, content: Any) -> Response:
        return json_response(content, headers=self._usage(self.used_pct))

    def _usage(self, percent: int, minutes: int = 0) -> Mapping[str, str]:
        usage = {
            "type": "ads_insights", "call_count": percent, "total_cputime": 3, "total_time": 4,
            "estimated_time_to_regain_access": minutes,
        }  # fmt: skip
        return {
            "x-business-use-case-usage": orjson.dumps({self.account.account_id: [usage]}).decode(),
            "x-ad-account-usage": '{"acc_id_util_pct":9.67,"reset_time_duration":0}',
        }

    def _error(
        self,
        message: str,
        code: int,
        status: int,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        transient: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        error: Row = {"message": message, "type": kind, "code": code, "fbtrace_id": _TRACE}
        if subcode is not None:
            error["error_subcode"] = subcode
        if transient:
            error["is_transient"] = True
        return json_response({"error": error}, status, headers)


def _range(form: Mapping[str, str]) -> tuple[date, date]:
    within = orjson.loads(form["time_range"])
    return date.fromisoformat(within["since"]), date.fromisoformat(within["until"])


def _asked(call: Call) -> Sequence[str]:
    statuses: Sequence[str] = orjson.loads(call.query.get("effective_status", "[]"))
    return statuses


def _filtered(form: Mapping[str, str]) -> Sequence[str]:
    wanted = f"{form['level']}.effective_status"
    for one in orjson.loads(form.get("filtering", "[]")):
        if (one["field"], one["operator"]) == (wanted, "IN"):
            statuses: Sequence[str] = one["value"]
            return statuses
    return ()
