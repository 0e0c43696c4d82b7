"""A stand-in for the REST API: one campaign that goes its way as soon as somebody looks."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

CAMPAIGN = "01ARZ3NDEKTSV4RRFFQ69G5FA0"
PLAN, POST = "01ARZ3NDEKTSV4RRFFQ69G5FA1", "01ARZ3NDEKTSV4RRFFQ69G5FA2"
APPROVAL = "01ARZ3NDEKTSV4RRFFQ69G5FA3"
WORDS = ["Slow ", "mornings\nare ", "worth it."]


class FakeApi:
    """The planner plans, a copywriter writes, an approval is asked, the post is done.

    With `fails` the copywriter fails instead of asking; `options` are those of the approval.
    """

    def __init__(self, *, fails: bool = False, options: list[str] | None = None) -> None:
        self.fails = fails
        self.options = options
        self.submitted: list[tuple[str, dict[str, Any]]] = []
        self.resolutions: list[dict[str, Any]] = []
        self.statuses = {PLAN: "in_progress", POST: "created"}
        self.looks = 0
        self.app = Starlette(
            routes=[
                Route("/dashboard/v1/campaigns", self.list_campaigns),
                Route("/dashboard/v1/campaigns", self.create, methods=["POST"]),
                Route("/dashboard/v1/campaigns/{id}", self.campaign),
                Route("/dashboard/v1/activities", self.activities),
                Route("/dashboard/v1/activities/{id}", self.activity),
                Route("/dashboard/v1/activities/{id}/output", self.output),
                Route("/dashboard/v1/activities/{id}/stream", self.stream),
                Route("/dashboard/v1/events/stream", self.events),
                Route("/dashboard/v1/approvals", self.approvals),
                Route("/dashboard/v1/approvals/{id}", self.approval),
                Route("/dashboard/v1/approvals/{id}/resolve", self.resolve, methods=["POST"]),
            ]
        )

    async def list_campaigns(self, _: Request) -> Response:
        return self._page([self._campaign()] if self.submitted else [])

    async def create(self, request: Request) -> Response:
        body = await request.json()
        if not body.get("name"):
            return self._problem(400, "The body does not validate.", "body.name", "is required")
        self.submitted.append((request.headers["Idempotency-Key"], body))
        return JSONResponse({"id": CAMPAIGN, "name": body["name"], "status": "draft"}, 201)

    async def campaign(self, _: Request) -> Response:
        return JSONResponse(self._campaign())

    async def activities(self, _: Request) -> Response:
        self.looks += 1
        if self.looks > 1 and self.statuses[PLAN] == "in_progress":
            self.statuses = {PLAN: "done", POST: "in_progress"}
        elif self.looks > 3 and self.statuses[POST] == "in_progress":
            self.statuses[POST] = "failed" if self.fails else "awaiting_approval"
        return self._page([self._activity(POST), self._activity(PLAN)])

    async def activity(self, request: Request) -> Response:
        runs = [{"error": "model_error"}] if self.statuses[POST] == "failed" else []
        return JSONResponse(self._activity(request.path_params["id"]) | {"runs": runs})

    async def output(self, request: Request) -> Response:
        if request.path_params["id"] == PLAN:
            return self._problem(404, "There is no output yet.")
        return JSONResponse({"activityId": POST, "text": "".join(WORDS), "format": "markdown"})

    async def stream(self, request: Request) -> Response:
        return StreamingResponse(self._words(request.path_params["id"]), media_type=_SSE)

    async def events(self, _: Request) -> Response:
        async def silence() -> AsyncIterator[str]:
            yield ": here\n\n"
            await asyncio.sleep(5)

        return StreamingResponse(silence(), media_type=_SSE)

    async def approvals(self, _: Request) -> Response:
        waits = self.statuses[POST] == "awaiting_approval"
        return self._page([self._approval()] if waits else [])

    async def approval(self, _: Request) -> Response:
        return JSONResponse(self._approval())

    async def resolve(self, request: Request) -> Response:
        if self.statuses[POST] != "awaiting_approval":
            return self._problem(409, "The approval is not pending.")
        self.resolutions.append(await request.json())
        self.statuses[POST] = "done"
        return JSONResponse({"approvalId": APPROVAL, "reEnqueuedActivities": 1})

    async def _words(self, activity_id: str) -> AsyncIterator[str]:
        if activity_id == PLAN:
            await asyncio.sleep(5)
        for number, delta in enumerate(WORDS):
            yield _event(number, "text_delta", {"delta": delta, "activityId": activity_id})
        yield ": keep alive\n\n"
        yield _event(9, "completed", {"activityId": activity_id, "status": "awaiting_approval"})

    def _campaign(self) -> dict[str, Any]:
        status = "draft" if self.statuses[PLAN] == "in_progress" else "active"
        return {"id": CAMPAIGN, "name": "Spring", "status": status, "spentUsd": 0.25}

    def _activity(self, activity_id: str) -> dict[str, Any]:
        planner = activity_id == PLAN
        return {
            "id": activity_id,
            "title": "Plan" if planner else "Post",
            "type": "campaign_planning" if planner else "blog_post",
            "status": self.statuses[activity_id],
            "agentRole": "activity_planner" if planner else "copywriter",
            "assigneeName": "Agent",
            "costUsd": 0.125,
            "createdOn": "2030-01-01T00:00:00.000Z",
        }

    def _approval(self) -> dict[str, Any]:
        options = {"options": self.options} if self.options else {}
        return {
            "id": APPROVAL,
            "title": "Publish the post?",
            "type": "content_review",
            "riskLevel": "low",
            "status": "pending",
            "linkedActivities": [{"id": POST, "title": "Post", "status": "awaiting_approval"}],
        } | options

    @staticmethod
    def _page(items: list[dict[str, Any]]) -> Response:
        pagination = {"limit": 100, "nextCursor": None, "hasMore": False}
        return JSONResponse({"data": items, "pagination": pagination})

    @staticmethod
    def _problem(status: int, detail: str, *error: str) -> Response:
        errors = [{"location": error[0], "message": error[1]}] if error else []
        return JSONResponse({"title": "No", "detail": detail, "errors": errors}, status)


_SSE = "text/event-stream"


def _event(number: int, name: str, content: dict[str, Any]) -> str:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(content)}\n\n"
