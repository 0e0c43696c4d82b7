"""A client's connections and results as the command line uses them, over the REST API."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from workers.api_client import Rest

PREFIX: Final = "/api/clients"


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Connection(_Read):
    platform: str
    status: str
    display_name: str | None
    last_synced_at: str | None
    last_sync_error: str | None


class Metric(_Read):
    metric_key: str
    value: float
    currency: str
    delta_pct: float | None


class Results(_Read):
    """What was added up over a period."""

    metrics: list[Metric]

    def first(self, metric_key: str) -> Metric | None:
        """The metric in the currency that comes first."""
        return next((one for one in self.metrics if one.metric_key == metric_key), None)


class ResultsApi(Rest):
    """The platforms of one client, and its results."""

    async def connections(self, company_id: str) -> list[Connection]:
        """The connections that work, by platform."""
        found = await self._call("GET", f"{PREFIX}/{company_id}/connections")
        every = map(Connection.model_validate, found["connections"])
        return [one for one in every if one.status == "active"]

    async def connect(
        self, company_id: str, platform: str, credentials: Mapping[str, str]
    ) -> Connection:
        """Connect an account; the API tries its credentials before it keeps them."""
        body = {"platform": platform, "credentials": dict(credentials)}
        made = await self._call("POST", f"{PREFIX}/{company_id}/connections", json=body)
        return Connection.model_validate(made["connection"])

    async def backfill(self, company_id: str, days: int) -> None:
        """Start to load the past; refused with 409 while that goes on."""
        await self._call("POST", f"{PREFIX}/{company_id}/connections/backfill", json={"days": days})

    async def results(self, company_id: str) -> Results:
        """The month up to today."""
        return Results.model_validate(await self._call("GET", f"{PREFIX}/{company_id}/results"))

    async def days_with_spend(self, company_id: str, platform: str) -> set[date]:
        """The days of the quarter up to today on which anything was spent on the platform."""
        asked = {"period_type": "quarter", "platform": platform}
        path = f"{PREFIX}/{company_id}/results/campaigns/daily"
        return set(_spent((await self._call("GET", path, params=asked))["daily"]))

    async def ask(self, company_id: str, question: str) -> str:
        """A model's answer out of the client's numbers."""
        body = {"question": question}
        answered = await self._call("POST", f"{PREFIX}/{company_id}/results/ask", json=body)
        return str(answered["answer"])


def _spent(daily: Mapping[str, list[dict[str, Any]]]) -> Iterator[date]:
    for days in daily.values():
        yield from (date.fromisoformat(day["date"]) for day in days if day["spend"])
