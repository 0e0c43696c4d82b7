"""Meta's reports: asked for, waited for, read page by page, and cut smaller when too much.

A report runs at Meta until it is done; how much is too much for it only shows then. A range whose
report fails is asked for again in two halves.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from activities.connectors.errors import PlatformBusy, QuotaExhausted
from activities.connectors.meta_errors import TooMuch, exhausted
from activities.connectors.wire import Answer, Wire, halves

VERSION: Final = "v25.0"
_PAGE: Final = 500
_SMALLEST_PAGE: Final = 10
_FAILED: Final = frozenset({"Job Failed", "Job Skipped"})
_DONE: Final = "Job Completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What to ask of an account; `daily` or over the whole range.

    Unless told which `statuses` count, Meta leaves out what is archived or deleted by now, and
    campaigns then add up to less than their account.
    """

    account_id: str
    level: str
    fields: Sequence[str]
    first: date
    last: date
    daily: bool = True
    statuses: Sequence[str] = ()

    def form(self) -> Mapping[str, str]:
        """The report in the words of the API."""
        within = {"since": self.first.isoformat(), "until": self.last.isoformat()}
        of_statuses = {
            "field": f"{self.level}.effective_status",
            "operator": "IN",
            "value": list(self.statuses),
        }
        return {
            "level": self.level,
            "fields": ",".join(self.fields),
            "time_range": json.dumps(within),
            "time_increment": "1" if self.daily else "all_days",
            # Conversions then count as they do in Meta's own Ads Manager.
            "use_unified_attribution_setting": "true",
            **({"filtering": json.dumps([of_statuses])} if self.statuses else {}),
        }


@dataclass(frozen=True, slots=True)
class MetaReader:
    """Reads with one token."""

    wire: Wire
    token: str = field(repr=False)
    poll_seconds: float
    longest_seconds: float

    async def rows(self, report: Report) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """The report's rows by page; one that is too much comes in parts."""
        waiting = [(report.first, report.last)]
        while waiting:
            first, last = waiting.pop()
            part = replace(report, first=first, last=last)
            try:
                run = await self._run(part)
            except TooMuch as why:
                # People over a range are not the sum of those over its halves.
                if first == last or not report.daily:
                    raise PlatformBusy(f"Meta could not make the report: {why}") from None
                waiting += reversed(halves(first, last))
                continue
            async for page in self.pages(f"/{VERSION}/{run}/insights", {}, limit=_PAGE):
                yield page

    async def pages(
        self, path: str, params: Mapping[str, str], *, limit: int
    ) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Read a list to its end, by cursors: the addresses of next pages have the token in them.

        A page that is too much is asked for again with fewer rows.
        """
        after: str | None = None
        while True:
            given = {**params, "limit": str(limit), **({"after": after} if after else {})}
            try:
                answer = await self.ask("GET", path, given)
            except TooMuch:
                if limit <= _SMALLEST_PAGE:
                    raise
                limit = max(limit // 4, _SMALLEST_PAGE)
                continue
            page, following = self._page(answer)
            if following is not None and following == after:
                # It would go round for ever.
                raise PlatformBusy("Meta sent a page that follows itself.")
            yield page
            if following is None:
                return
            _stop_when_exhausted(answer)
            after = following

    def _page(self, answer: Answer) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        with self.wire.as_documented():
            page = answer.body["data"]
            if not isinstance(page, list):
                raise TypeError("no list")
            paging = answer.body.get("paging") or {}
            return page, str(paging["cursors"]["after"]) if paging.get("next") else None

    async def ask(self, method: str, path: str, given: Mapping[str, str]) -> Answer:
        """Ask with the token in a header."""
        return await self.wire.ask(
            method,
            path,
            secrets=self.secrets,
            headers={"Authorization": f"Bearer {self.token}"},
            params=given if method == "GET" else None,
            form=given if method == "POST" else None,
        )

    @property
    def secrets(self) -> Iterable[str]:
        return (self.token,)

    async def _run(self, report: Report) -> str:
        """Have the report made; its id, once it is done."""
        path = f"/{VERSION}/act_{report.account_id}/insights"
        answer = await self.ask("POST", path, report.form())
        with self.wire.as_documented():
            run = str(int(answer.body["report_run_id"]))
        until = time.monotonic() + self.longest_seconds
        fields = {"fields": "async_status,async_percent_completion"}
        while True:
            answer = await self.ask("GET", f"/{VERSION}/{run}", fields)
            with self.wire.as_documented():
                status = answer.body["async_status"]
            if status == _DONE:
                return run
            if status in _FAILED:
                raise TooMuch(f"the report ended with “{status}”.")
            if time.monotonic() > until:
                raise TooMuch("the report took too long.")
            _stop_when_exhausted(answer)
            await asyncio.sleep(self.poll_seconds)


def _stop_when_exhausted(answer: Answer) -> None:
    """Go no further when all of the quota is used: asking on makes Meta's pause longer."""
    spent, wait = exhausted(answer.headers)
    if spent:
        raise QuotaExhausted("Meta: the account's quota is used up.", retry_after=wait)
