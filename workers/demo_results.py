"""The demo's client with its platforms: connected, filled backwards, read, and asked about.

Everything goes through the REST API. What is there already is not made again, so that a second
start finds it, and one that was cut off goes on.
"""

import asyncio
import textwrap
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import httpx

from models.rules.clients.vocabulary import PeriodType
from models.rules.platforms.registry import PlatformId
from models.rules.results.periods import backfill_range, period
from workers.api_client import ApiRefused
from workers.demo_relations import NORTHWIND
from workers.fakes.serving import CLIENT, demo_platforms
from workers.results_client import Connection, Metric, ResultsApi

PLATFORMS: Final = (PlatformId.META_ADS, PlatformId.GOOGLE_ADS, PlatformId.SHOPIFY)
QUESTION: Final = "How did spend and revenue develop this month, and what drove it?"
DAYS: Final = 90
_ADS: Final = frozenset({PlatformId.META_ADS, PlatformId.GOOGLE_ADS})
_TOLD: Final = ("spend", "conversions", "roas", "cpa", "store_revenue", "orders")
_WIDTH: Final = 100
_BETWEEN_LINES: Final = 2.0


class ResultsDemo:
    """One look at the client's results on a running stack."""

    def __init__(
        self,
        api: ResultsApi,
        say: Callable[[str], None],
        *,
        patience: timedelta = timedelta(seconds=60),
        pause: timedelta = timedelta(seconds=0.5),
    ) -> None:
        self._api = api
        self._say = say
        self._patience = patience.total_seconds()
        self._pause = pause.total_seconds()

    async def run(self) -> None:
        """Show it; what the API refuses is told, and nothing else depends on it."""
        try:
            today = datetime.now(UTC).date()
            if connected := await self._connect(today):
                await self._load(connected, today)
                await self._tell()
        except ApiRefused as error:
            self._say(f"  The API refused: {error}")

    async def _connect(self, today: date) -> Sequence[Connection]:
        known = {one.platform for one in await self._api.connections(NORTHWIND)}
        credentials = demo_platforms(today).credentials
        for platform in PLATFORMS:
            if platform in known:
                continue
            try:
                made = await self._api.connect(NORTHWIND, platform, credentials[platform])
            except ApiRefused as error:
                # Where the user has an own vendor, the demo's credentials open nothing.
                self._say(f"  {platform} is not connected: {error}")
            else:
                self._say(f"  Connected {CLIENT} to {platform}: {made.display_name}")
        connected = await self._api.connections(NORTHWIND)
        names = ", ".join(one.platform for one in connected)
        self._say(f"{CLIENT} is connected to {names or 'no platform'}.")
        return connected

    async def _load(self, connected: Sequence[Connection], today: date) -> None:
        """Have the past loaded, unless it is there, and wait for it as long as that is short."""
        platforms = [one.platform for one in connected if one.platform in _ADS]
        begin, told_at, has_asked = time.monotonic(), -_BETWEEN_LINES, False
        while True:
            missing = {one: await self._missing(one, today) for one in platforms}
            if not any(missing.values()) and await self._others_are_synced():
                return
            if any(missing.values()) and not has_asked:
                has_asked = True
                await self._backfill()
            passed = time.monotonic() - begin
            if missing and passed - told_at >= _BETWEEN_LINES:
                line = ", ".join(f"{DAYS - days} of {one}" for one, days in missing.items())
                self._say(f"  Days loaded: {line}")
                told_at = passed
            if passed > self._patience:
                return self._say("  Not everything is loaded yet; it goes on by itself.")
            await asyncio.sleep(self._pause)

    async def _backfill(self) -> None:
        try:
            await self._api.backfill(NORTHWIND, DAYS)
            self._say(f"  Loading the {DAYS} days before today from the ad platforms ...")
        except ApiRefused as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            self._say("  The past is being loaded already ...")

    async def _missing(self, platform: str, today: date) -> int:
        """How many of the days that are loaded and shown are not there."""
        first, last = backfill_range(today, DAYS)
        first = max(first, period(PeriodType.QUARTER, today).start)
        spent = await self._api.days_with_spend(NORTHWIND, platform)
        every = {first + timedelta(days=past) for past in range((last - first).days + 1)}
        return len(every - spent)

    async def _others_are_synced(self) -> bool:
        """Whether the platforms without a past to load have their first days."""
        found = await self._api.connections(NORTHWIND)
        others = [one for one in found if one.platform not in _ADS]
        return all(one.last_synced_at or one.last_sync_error for one in others)

    async def _tell(self) -> None:
        results = await self._api.results(NORTHWIND)
        self._say(f"Results of {CLIENT} in the month up to today:")
        for key in _TOLD:
            if (metric := results.first(key)) is not None:
                self._say(f"  {in_words(metric)}")
        self._say(f"Asked: {QUESTION}")
        answer = await self._api.ask(NORTHWIND, QUESTION)
        self._say(textwrap.indent("\n".join(_wrapped(answer)), "  "))


def in_words(metric: Metric) -> str:
    """A number with its change against the month before."""
    is_money = metric.metric_key in ("spend", "cpa", "store_revenue")
    value = f"{metric.value:,.2f}{' ' + metric.currency if is_money else ''}"
    if metric.delta_pct is None:
        change = "nothing to compare with"
    else:
        change = f"{metric.delta_pct:+.1f} % against the month before"
    return f"{metric.metric_key.replace('_', ' '):14}{value:>18}  {change}"


def _wrapped(text: str) -> list[str]:
    return [part for line in text.splitlines() for part in textwrap.wrap(line, _WIDTH) or [""]]
