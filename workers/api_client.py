"""The REST API as the command line uses it: a few calls, and streams that outlive a cut."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import httpx
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PREFIX: Final = "/dashboard/v1"
_RECONNECT: Final = 0.5


class ApiRefused(RuntimeError):
    """The API said no; the message is its own."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{detail} ({status})")
        self.status = status


class _Read(BaseModel):
    """What is read of an answer; fields that the command line does not show are passed over."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class Campaign(_Read):
    id: str
    name: str
    status: str
    spent_usd: float = 0.0
    budget_cap_usd: float | None = None


class Activity(_Read):
    id: str
    title: str
    type: str
    status: str
    agent_role: str | None = None
    assignee_name: str = ""
    wake_reason: str | None = None
    cost_usd: float = 0.0
    created_on: str = ""


class Linked(_Read):
    id: str


class Approval(_Read):
    id: str
    title: str
    type: str
    risk_level: str
    status: str
    description: str | None = None
    options: list[str] | None = None
    linked_activities: list[Linked] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a stream."""

    name: str
    content: dict[str, Any]
    id: str | None = None


class Rest:
    """One tenant's API, as one of its people; tokens are made anew for each call."""

    def __init__(self, base_url: str, token: Callable[[], str]) -> None:
        self._token = token
        self._http = httpx.AsyncClient(base_url=base_url, timeout=httpx.Timeout(30, connect=5))

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = self._headers() | options.pop("headers", {})
        answer = await self._http.request(method, path, headers=headers, **options)
        if answer.is_error:
            raise _refusal(answer)
        found: dict[str, Any] = answer.json()
        return found

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}


class Api(Rest):
    """Campaigns, their activities and approvals."""

    def __init__(self, base_url: str, token: Callable[[], str]) -> None:
        super().__init__(base_url + PREFIX, token)

    async def campaigns(self) -> list[Campaign]:
        """The newest campaigns."""
        found = await self._call("GET", "/campaigns", params={"limit": 100})
        return [Campaign.model_validate(item) for item in found["data"]]

    async def campaign(self, campaign_id: str) -> Campaign:
        return Campaign.model_validate(await self._call("GET", f"/campaigns/{campaign_id}"))

    async def create_campaign(self, body: dict[str, Any], key: str) -> str:
        """Submit a brief; the same key gives the same campaign again."""
        made = await self._call("POST", "/campaigns", json=body, headers={"Idempotency-Key": key})
        return str(made["id"])

    async def activities(self, campaign_id: str) -> list[Activity]:
        """All activities of a campaign, oldest first."""
        items = await self._all("/activities", {"filter.campaignId": campaign_id})
        return [Activity.model_validate(item) for item in reversed(items)]

    async def pending_approvals(self) -> list[Approval]:
        """What waits for a decision, oldest first."""
        items = await self._all("/approvals", {"filter.status": "pending"})
        return [Approval.model_validate(item) for item in reversed(items)]

    async def approval(self, approval_id: str) -> Approval:
        return Approval.model_validate(await self._call("GET", f"/approvals/{approval_id}"))

    async def resolve(
        self,
        approval_id: str,
        resolution: str,
        *,
        option: str | None,
        note: str | None,
        key: str | None = None,
    ) -> int:
        """Decide (again, with the same key); returns how many activities go on because of it."""
        body = {"resolution": resolution}
        body |= {"selectedOption": option} if option else {}
        body |= {"note": note} if note else {}
        headers = {"Idempotency-Key": key} if key else {}
        path = f"/approvals/{approval_id}/resolve"
        answer = await self._call("POST", path, json=body, headers=headers)
        return int(answer["reEnqueuedActivities"])

    async def output(self, activity_id: str) -> str | None:
        """The text that an activity produced, if it has any."""
        try:
            return str((await self._call("GET", f"/activities/{activity_id}/output"))["text"])
        except ApiRefused as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def run_errors(self, activity_id: str) -> list[str]:
        """Why an activity's runs failed, newest first."""
        detail = await self._call("GET", f"/activities/{activity_id}")
        return [run["error"] for run in detail["runs"] if run.get("error")]

    async def events(self, path: str, after: str | None = None) -> AsyncGenerator[Event]:
        """A stream's events; after a cut it goes on where it was, until the server has ended it."""
        last = after
        while True:
            try:
                async with aclosing(self._stream(path, last)) as events:
                    async for event in events:
                        last = event.id or last
                        yield event
                        if event.name in ("completed", "error"):
                            return
            except httpx.TransportError:
                pass
            await asyncio.sleep(_RECONNECT)

    async def _stream(self, path: str, last: str | None) -> AsyncGenerator[Event]:
        headers = self._headers() | ({"Last-Event-ID": last} if last else {})
        timeout = httpx.Timeout(60, connect=5)
        async with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
            if answer.is_error:
                await answer.aread()
                raise _refusal(answer)
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                    continue
                if "event" in fields:
                    content = json.loads(fields.get("data", "{}"))
                    yield Event(name=fields["event"], content=content, id=fields.get("id"))
                fields = {}

    async def _all(self, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self._call("GET", path, params=params | {"limit": 100} | cursor)
            items += page["data"]
            if not page["pagination"]["hasMore"]:
                return items
            cursor = {"cursor": page["pagination"]["nextCursor"]}


def _refusal(answer: httpx.Response) -> ApiRefused:
    try:
        problem = answer.json()
        fields = [f"{item['location']}: {item['message']}" for item in problem.get("errors", [])]
        detail = "; ".join([problem.get("detail") or problem["title"], *fields])
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:300] or answer.reason_phrase
    return ApiRefused(answer.status_code, detail)
